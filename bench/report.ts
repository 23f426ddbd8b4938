/**
 * What a bench says: JSON for programs, a table for people, ratios to another report.
 *
 * @module
 */
import type { ConvolutionTiming } from "./convolutions.ts";
import type { Curve } from "./curves.ts";
import type { DriveTimes } from "./drive.ts";
import type { KernelTiming, StepProfile } from "./kernels.ts";

/** What a report has times of. */
export const timeNames = [
  "metaStepSeconds",
  "frameSeconds",
  "embedSeconds",
  "contentSeconds",
] as const;

/** One of {@link timeNames}. */
export type TimeName = typeof timeNames[number];

/** Median seconds; what was not asked for is missing. */
export interface Report extends Readonly<Partial<Record<TimeName, number>>> {
  readonly preset: string;
  readonly backend: string;
  /** What the times are of: "processor" counts what all threads computed. */
  readonly clock: "wall" | "processor";
  /** What computed: the backend's device and the processor. */
  readonly device: string;
  readonly shots: number;
  readonly batch: number;
  readonly discriminatorSteps: number;
  /** The most memory that the process ever held. */
  readonly peakBytes: number;
  readonly convolutions?: readonly ConvolutionTiming[];
  /** Seconds of each network of the content loss alone, by its name. */
  readonly contentNetworks?: Readonly<Record<string, number>>;
  /** Seconds of an update of fine-tuning by the number of frames. */
  readonly fineTuneSeconds?: Readonly<Record<string, number>>;
  /** Seconds of a driven frame, as a whole and by stage. */
  readonly driveSeconds?: DriveTimes;
  /** Frames of a film a second, from the driver to the disk. */
  readonly driveFramesPerSecond?: number;
  /** What each kernel takes of a step. */
  readonly profile?: StepProfile;
  /** Seconds of a step against a setting. */
  readonly curves?: readonly Curve[];
  /** Our time over the other report's, by name. */
  readonly ratios?: Readonly<Record<string, number>>;
}

const isTime = (value: unknown): value is number => typeof value === "number" && value > 0;

type Json = Readonly<Record<string, unknown>>;

const recordOf = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};

const listOf = (value: unknown): readonly Json[] => Array.isArray(value) ? value.map(recordOf) : [];

/** Groups of times in a report, and how a time in them is called. */
const groups: readonly (readonly [field: string, called: (name: string) => string])[] = [
  ["contentNetworks", (name) => `content: ${name}`],
  ["fineTuneSeconds", (name) => `update of fine-tuning, T = ${name}`],
  ["driveSeconds", (name) => `driven frame: ${name}`],
];

/** Every time in a report by its name; convolutions by theirs. Other people's reports too. */
export const timesIn = (report: unknown): Readonly<Record<string, number>> => {
  const given = recordOf(report);
  const named: readonly (readonly [string, unknown])[] = [
    ...timeNames.map((name) => [name, given[name]] as const),
    ...groups.flatMap(([field, called]) =>
      Object.entries(recordOf(given[field])).map(([name, value]) => [called(name), value] as const)
    ),
    ...listOf(given.curves).flatMap(({ axis, points }) =>
      listOf(points).map((point) =>
        [`step at ${axis} = ${point.value}`, point.metaStepSeconds] as const
      )
    ),
    ...listOf(given.convolutions).flatMap(({ name, seconds }) =>
      typeof name === "string" ? [[name, seconds] as const] : []
    ),
  ];
  return Object.fromEntries(
    named.flatMap(([name, value]) => isTime(value) ? [[name, value]] : []),
  );
};

/** Our times over those of another report, where both have one. */
export const ratiosTo = (ours: Report, other: unknown): Readonly<Record<string, number>> => {
  const theirs = timesIn(other);
  return Object.fromEntries(
    Object.entries(timesIn(ours)).flatMap(([name, seconds]) => {
      const reference = theirs[name];
      return reference === undefined ? [] : [[name, seconds / reference]];
    }),
  );
};

const milliseconds = (seconds: number): string => `${(1000 * seconds).toFixed(2)} ms`;

/** A step, kernel by kernel, as far as a kernel takes a hundredth of it. */
const profileLines = ({ seconds, kernels }: StepProfile): readonly string[] => {
  const line = (name: string, taken: number, calls?: number): string =>
    name.padEnd(40) + milliseconds(taken).padStart(12) +
    `${(100 * taken / seconds).toFixed(0)} %`.padStart(7) +
    (calls === undefined ? "" : `${calls.toFixed(0)} calls`.padStart(12));
  const sum = (some: readonly KernelTiming[], of: "seconds" | "calls"): number =>
    some.reduce((total, kernel) => total + kernel[of], 0);
  const large = kernels.filter((kernel) => kernel.seconds >= seconds / 100);
  const small = kernels.slice(large.length);
  return [
    line("a step, profiled", seconds),
    ...large.map(({ name, seconds, calls }) => line(`  ${name}`, seconds, calls)),
    line(`  ${small.length} smaller kernels`, sum(small, "seconds"), sum(small, "calls")),
    line("  between kernels", seconds - sum(kernels, "seconds")),
  ];
};

/** The report as a table. */
export const reportText = (report: Report): string => {
  const { preset, device, shots, batch, discriminatorSteps, peakBytes, ratios = {} } = report;
  const ticks = report.clock === "processor" ? ", processor time" : "";
  const speed = report.driveFramesPerSecond;
  const speeds = new Map(report.convolutions?.map(({ name, gflops }) => [name, gflops]));
  const rows = Object.entries(timesIn(report)).map(([name, seconds]) => {
    const gflops = speeds.get(name), ratio = ratios[name];
    return name.padEnd(40) + milliseconds(seconds).padStart(12) +
      (gflops === undefined ? "" : `${gflops.toFixed(0)} GFLOP/s`.padStart(14)) +
      (ratio === undefined ? "" : `  ratio ${ratio.toFixed(2)}`);
  });
  return [
    `${preset} on ${device}${ticks}: K = ${shots}, batch ${batch}, ${discriminatorSteps} steps of D`,
    ...rows,
    ...(report.profile === undefined ? [] : profileLines(report.profile)),
    ...(speed === undefined ? [] : [`driving makes ${speed.toFixed(1)} frames a second`]),
    `peak memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
  ].join("\n");
};
