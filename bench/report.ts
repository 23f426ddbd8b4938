/**
 * What a bench says: JSON for programs, a table for people, ratios to another report.
 *
 * @module
 */
import type { ConvolutionTiming } from "./convolutions.ts";

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
  /** Our time over the other report's, by name. */
  readonly ratios?: Readonly<Record<string, number>>;
}

const isTime = (value: unknown): value is number => typeof value === "number" && value > 0;

/** Every time in a report by its name; convolutions by theirs. Other people's reports too. */
export const timesIn = (report: unknown): Readonly<Record<string, number>> => {
  if (typeof report !== "object" || report === null) return {};
  const given: Readonly<Record<string, unknown>> = { ...report };
  const times: Record<string, number> = {};
  for (const name of timeNames) {
    const value = given[name];
    if (isTime(value)) times[name] = value;
  }
  const networks = given.contentNetworks;
  for (const [name, value] of Object.entries(typeof networks === "object" ? networks ?? {} : {})) {
    if (isTime(value)) times[`content: ${name}`] = value;
  }
  const convolutions: readonly unknown[] = Array.isArray(given.convolutions)
    ? given.convolutions
    : [];
  for (const each of convolutions) {
    if (typeof each !== "object" || each === null) continue;
    const { name, seconds } = each as Readonly<Record<string, unknown>>;
    if (typeof name === "string" && isTime(seconds)) times[name] = seconds;
  }
  return times;
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

/** The report as a table. */
export const reportText = (report: Report): string => {
  const { preset, device, shots, batch, discriminatorSteps, peakBytes, ratios = {} } = report;
  const speeds = new Map(report.convolutions?.map(({ name, gflops }) => [name, gflops]));
  const rows = Object.entries(timesIn(report)).map(([name, seconds]) => {
    const speed = speeds.get(name), ratio = ratios[name];
    return name.padEnd(40) + milliseconds(seconds).padStart(12) +
      (speed === undefined ? "" : `${speed.toFixed(0)} GFLOP/s`.padStart(14)) +
      (ratio === undefined ? "" : `  ratio ${ratio.toFixed(2)}`);
  });
  return [
    `${preset} on ${device}: K = ${shots}, batch ${batch}, ${discriminatorSteps} steps of D`,
    ...rows,
    `peak memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
  ].join("\n");
};
