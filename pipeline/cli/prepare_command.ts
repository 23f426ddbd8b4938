/**
 * `deno task prepare`.
 *
 * @module
 */
import {
  prepareFolder,
  type PrepareOptions,
  type PrepareOutcome,
} from "../../datasets/prepare/prepare_folder.ts";
import { findShare } from "../../datasets/prepare/share.ts";
import {
  decodeConfig,
  flag,
  fraction,
  oneOf,
  path,
  positiveInteger,
  positiveNumber,
  strict,
  text,
} from "../core/config.ts";
import type { PipelineError } from "../core/errors.ts";
import { E, F } from "../core/fp.ts";
import { withSignals } from "../core/signals.ts";
import type { Command } from "./command.ts";
import { numberOr, type Option, type Parsed } from "./options.ts";
import { say, terminalSink } from "./terminal.ts";

const options: readonly Option[] = [
  {
    name: "in",
    value: "DIR",
    help: "videos or photos: VoxCeleb layout, or a flat folder (required)",
  },
  { name: "out", value: "DIR", help: "the folder of the shards; what is there goes on (required)" },
  { name: "size", value: "N", help: "side of the square frames in pixels (256)", numeric: true },
  {
    name: "fps",
    value: "R",
    help: "frames a second; of clips under 10 s every frame (5)",
    numeric: true,
  },
  { name: "frames", value: "N", help: "at most so many frames a clip (300)", numeric: true },
  { name: "min-frames", value: "N", help: "at least so many a sequence (9)", numeric: true },
  { name: "format", value: "jpeg|webp", help: "how frames are stored (jpeg)" },
  { name: "quality", value: "N", help: "of stored frames, 1 to 100 (95)", numeric: true },
  {
    name: "identities",
    value: "FILE",
    help: "CSV with the columns file, identity and video (none)",
  },
  {
    name: "separator",
    value: "TEXT",
    help: "ends the person's part of file names in a flat folder (_)",
  },
  { name: "validation", value: "P", help: "share of people to validate with (0.1)", numeric: true },
  { name: "test", value: "P", help: "share of people to test with (0.1)", numeric: true },
  { name: "clips-per-shard", value: "N", help: "about so many (64)", numeric: true },
  {
    name: "shard",
    value: "i/n",
    help: "this machine's part; auto/n: number from the array job (1/1)",
  },
  { name: "workers", value: "N", help: "clips done at once (one a core)", numeric: true },
  { name: "keep", help: "keep the pieces: clips added later are all that is done again" },
  { name: "merge", help: "make no shard, only merge those that are there" },
  { name: "print-config", help: "print the settings and stop" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

const codec = strict({
  path,
  out: path,
  size: positiveInteger,
}, {
  fps: positiveNumber,
  frames: positiveInteger,
  minFrames: positiveInteger,
  format: oneOf(["jpeg", "webp"]),
  quality: positiveInteger,
  identities: path,
  separator: text,
  validation: fraction,
  test: fraction,
  clipsPerShard: positiveInteger,
  workers: positiveInteger,
  keep: flag,
  mergeOnly: flag,
});

const settingNames: Readonly<Record<string, string>> = {
  in: "path",
  out: "out",
  size: "size",
  fps: "fps",
  frames: "frames",
  "min-frames": "minFrames",
  format: "format",
  quality: "quality",
  identities: "identities",
  separator: "separator",
  validation: "validation",
  test: "test",
  "clips-per-shard": "clipsPerShard",
  workers: "workers",
  keep: "keep",
  merge: "mergeOnly",
};

const valueOf = (parsed: Parsed, name: string): unknown => {
  const value = parsed[name];
  const numeric = options.find((option) => option.name === name)?.numeric;
  return typeof value === "string" && numeric ? numberOr(value) : value;
};

const limits = (settings: PrepareOptions): readonly string[] =>
  [
    settings.size < 16 || settings.size > 1024
      ? `Cannot prepare at size ${settings.size}: expected 16 to 1024 pixels`
      : [],
    (settings.quality ?? 1) > 100
      ? `Cannot store at quality ${settings.quality}: expected 1 to 100`
      : [],
    (settings.validation ?? 0.1) + (settings.test ?? 0.1) >= 1
      ? "Cannot split: validation and test are everybody, expected people to train on"
      : [],
  ].flat();

const configure = (parsed: Parsed): E.Either<PipelineError, PrepareOptions> => {
  const missing = ["in", "out"].filter((name) => parsed[name] === undefined)
    .map((name) => `Cannot prepare: --${name} is not given, expected --${name} DIR`);
  if (missing.length > 0) return E.left({ _tag: "Config", problems: missing });
  const given = Object.entries(settingNames).flatMap(([option, name]) => {
    const value = valueOf(parsed, option);
    return value === undefined ? [] : [[name, value] as const];
  });
  return F.pipe(
    decodeConfig(codec)({ size: 256, ...Object.fromEntries(given) }),
    E.flatMap((settings): E.Either<PipelineError, PrepareOptions> => {
      const problems = limits(settings);
      if (problems.length > 0) return E.left({ _tag: "Config", problems });
      const { shard } = parsed;
      const said = typeof shard === "string" ? shard : undefined;
      return F.pipe(
        findShare(said, (name) => Deno.env.get(name)),
        E.map((share) => ({ ...settings, share })),
      );
    }),
  );
};

const share = (part: number, of: number): string => `${(100 * part / of).toFixed(0)} %`;

/** Seconds by stage over all clips of a run, and frames a second of one core. */
export const throughput = ({ figures }: PrepareOutcome) => {
  const sum = (of: (figure: PrepareOutcome["figures"][number]) => number): number =>
    figures.reduce((total, figure) => total + of(figure), 0);
  const stages = {
    probe: sum((figure) => figure.probeSeconds),
    decode: sum((figure) => figure.decodeSeconds),
    analyse: sum((figure) => figure.analyseSeconds),
    crop: sum((figure) => figure.cropSeconds),
    polish: sum((figure) => figure.polishSeconds),
    encode: sum((figure) => figure.encodeSeconds),
  };
  const decoded = sum((figure) => figure.decoded);
  const all = Object.values(stages).reduce((total, seconds) => total + seconds, 0);
  return {
    frames: decoded,
    detections: sum((figure) => figure.detections),
    secondsByStage: stages,
    framesPerSecondPerWorker: all > 0 ? decoded / all : 0,
  };
};

const describe = (outcome: PrepareOutcome, out: string): string => {
  const { clips, earlier, faces, shards, report, seconds } = outcome;
  const { secondsByStage, framesPerSecondPerWorker } = throughput(outcome);
  const work = Object.values(secondsByStage).reduce((sum, each) => sum + each, 0);
  const pace = work > 0
    ? [
      `${framesPerSecondPerWorker.toFixed(1)} frames a second a worker: ` +
      Object.entries(secondsByStage).map(([name, spent]) => `${name} ${share(spent, work)}`)
        .join(", "),
    ]
    : [];
  const head = `${clips} clips of ${shards.own} shards here in ${seconds.toFixed(1)} s ` +
    `(${earlier} were done before), ${faces} new frames with a face`;
  if (report === undefined) {
    const wait = `${shards.ready} of ${shards.of} shards are done: the machine that ends last ` +
      "writes the index, or --merge does";
    return [head, ...pace, wait].join("\n");
  }
  const folder = out.replace(/(?<=.)\/+$/, ""); // as people type it: prepared/
  const reasons = Object.entries(report.rejects).map(([reason, count]) => `${reason} ${count}`);
  const jitter = (value: number | null): string =>
    value === null ? "unknown" : `${(100 * value).toFixed(2)} %`;
  return [
    head,
    ...pace,
    `${report.usable} of ${report.clips} clips usable, ${report.frames} frames; rejected: ` +
    (reasons.length === 0 ? "none" : reasons.join(", ")),
    ...(report.medians.jitter === null ? [] : [
      `landmark jitter ${jitter(report.medians.rawJitter)} of the face as detected, ` +
      `${jitter(report.medians.jitter)} as stored`,
    ]),
    `${folder}/index.json, ${folder}/report.json; next: deno task verify ${folder}`,
  ].join("\n");
};

const run = (settings: PrepareOptions): Promise<E.Either<PipelineError, PrepareOutcome>> =>
  withSignals(async (signal) => {
    const terminal = terminalSink();
    try {
      return await prepareFolder(settings)({ emit: terminal.emit, signal })();
    } finally {
      await terminal.close();
    }
  }, { onStop: () => say("Stopping: finished clips are kept, the same command goes on") });

/** The command. */
export const prepareCommand: Command = {
  name: "prepare",
  about: "Turns a folder of videos or photos into training shards.",
  options,
  example: "deno task prepare --in videos/ --out prepared/ --size 128",
  run: async (parsed) => {
    const settings = configure(parsed);
    if (E.isLeft(settings)) return settings;
    if (parsed["print-config"]) return E.right({ json: settings.right });
    const done = await run(settings.right);
    if (E.isLeft(done)) return done;
    const { figures: _, ...result } = done.right;
    return E.right({
      json: { ...result, throughput: throughput(done.right) },
      text: describe(done.right, settings.right.out),
    });
  },
};
