/**
 * The paper's table 2 (appendix A.1): how long learning a person from T frames takes, and a frame
 * of them, method beside method on one machine.
 *
 * @module
 */
import { syntheticHeads } from "../../../datasets/synthetic.ts";
import { presets } from "../../../models/presets.ts";
import type { Env } from "../../core/env.ts";
import type { PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE, type TaskEither } from "../../core/fp.ts";
import type { Frame } from "../../core/image.ts";
import { peakBytes, processor } from "../../core/machine.ts";
import type { Owned } from "../../core/owned.ts";
import { bracket } from "../../core/stage.ts";
import { attempt, replaceFile } from "../checkpoint/durable.ts";
import type { FewShot, TrainableName, TrainedMethod } from "../method.ts";
import { type Contestant, contestants, openContestant, type Wanted } from "./contestants.ts";
import { type Table2Report, type TimeRow, timesToCsv, timesToMarkdown } from "./table2_text.ts";
import { type Effort, timeFrame, timeLearning, type Timing } from "./timed_learning.ts";

/** What is timed. */
export interface Table2 extends Wanted {
  /** The values of T. */
  readonly shots: readonly number[];
  /** How much is measured. */
  readonly effort: Effort;
  /** The table goes into `<out>/table2`. */
  readonly out: string;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** The lines of the table in the paper's order, and who they are here. */
const lines: readonly {
  readonly name: string;
  readonly method: TrainableName;
  readonly fewShot: string;
}[] = [
  { name: "X2Face", method: "x2face", fewShot: "feed-forward" },
  { name: "Pix2pixHD", method: "pix2pixhd", fewShot: "fine-tuned" },
  { name: "Ours-FT", method: "headshot", fewShot: "fine-tuned" },
  { name: "Ours-FF", method: "headshot", fewShot: "feed-forward" },
];

const rowOf = (
  about: Pick<TimeRow, "part" | "method" | "shots" | "networks">,
  { seconds, iterations, projected }: Timing,
): TimeRow => ({ ...about, seconds, iterations, projected });

/** The cells of one line: every T, then a frame. */
const timeLine = (
  { shots, effort }: Table2,
  about: Pick<TimeRow, "method" | "networks">,
  fewShot: FewShot,
  frames: readonly Frame[],
): Program<readonly TimeRow[]> => {
  const [driving] = frames;
  if (!driving) throw new Error("Cannot time: there are no frames");
  return F.pipe(
    shots,
    RTE.traverseSeqArray((count) =>
      F.pipe(
        timeLearning(fewShot, frames.slice(0, count), effort),
        RTE.map((timing) => rowOf({ ...about, part: "few-shot learning", shots: count }, timing)),
      )
    ),
    RTE.flatMap((learning) =>
      F.pipe(
        timeFrame(fewShot, [driving], driving, effort),
        RTE.map((timing) => [...learning, rowOf({ ...about, part: "inference" }, timing)]),
      )
    ),
  );
};

const timeContestant = (
  what: Table2,
  contestant: Contestant,
  frames: readonly Frame[],
): Program<readonly TimeRow[]> =>
  bracket(
    () => openContestant(contestant),
    (trained: Owned<TrainedMethod>): Program<readonly TimeRow[]> =>
      F.pipe(
        lines.filter(({ method }) => method === contestant.method),
        RTE.traverseSeqArray(({ name, fewShot }) => {
          const found = trained.value.fewShot.find((each) => each.name === fewShot);
          if (!found) throw new Error(`Cannot time ${name}: the method has no ${fewShot} way`);
          const about = { method: name, networks: contestant.run ?? "untrained" };
          return timeLine(what, about, found, frames);
        }),
        RTE.map((rows) => rows.flat()),
      ),
    (trained) => trained[Symbol.dispose](),
  )(undefined);

/** Frames of one synthetic person, as many as the largest T. */
const framesFor = (
  { preset, shots }: Table2,
): TaskEither<PipelineError, readonly Frame[]> => {
  const count = Math.max(1, ...shots), { size } = presets[preset].architecture;
  const heads = syntheticHeads({ size, identities: 2, videos: 1, framesPerVideo: count });
  const [sequence] = heads.train;
  if (!sequence) throw new Error("Cannot time: there is nobody");
  return heads.read(sequence, Array.from({ length: count }, (_, i) => i));
};

/** The paper's order: learning before inference, T by T, method by method. */
const inOrder = (rows: readonly TimeRow[]): readonly TimeRow[] =>
  rows.toSorted((a, b) =>
    a.part.localeCompare(b.part) || (a.shots ?? 0) - (b.shots ?? 0) ||
    lines.findIndex(({ name }) => name === a.method) -
      lines.findIndex(({ name }) => name === b.method)
  );

const write = (out: string, report: Table2Report): Program<Table2Report> => () => async () => {
  const made = await attempt(out, `make ${out}`, () => Deno.mkdir(out, { recursive: true }))();
  if (E.isLeft(made)) return made;
  const files: readonly (readonly [name: string, content: string])[] = [
    ["table.json", JSON.stringify(report, undefined, 2)],
    ["table.csv", timesToCsv(report.rows)],
    ["table.md", `${timesToMarkdown(report)}\n`],
  ];
  for (const [name, content] of files) {
    const written = await replaceFile(out, name, content)();
    if (E.isLeft(written)) return written;
  }
  return E.right(report);
};

const timeAll = (
  what: Table2,
  everybody: readonly Contestant[],
): Program<readonly TimeRow[]> =>
(env) =>
async () => {
  const frames = await framesFor(what)();
  if (E.isLeft(frames)) return frames;
  const rows: TimeRow[] = [], of = everybody.length;
  const quiet = { ...env, emit: () => {} };
  for (const [done, contestant] of everybody.entries()) {
    env.emit({ _tag: "Progress", what: "methods", done, of });
    const timed = await timeContestant(what, contestant, frames.right)(quiet)();
    if (E.isLeft(timed)) return timed;
    rows.push(...timed.right);
  }
  env.emit({ _tag: "Progress", what: "methods", done: of, of });
  return E.right(rows);
};

/**
 * Times every method and writes `<out>/table2/table.{json,csv,md}`. Errors: `Config` where runs do
 * not fit together or weights of content networks are missing, `Aborted`, and those of backends and
 * the disk.
 */
export const reproduceTable2 = (what: Table2): Program<Table2Report> =>
  F.pipe(
    contestants([...new Set(lines.map(({ method }) => method))], what),
    RTE.flatMap((everybody) =>
      F.pipe(
        timeAll(what, everybody),
        RTE.flatMap((rows): Program<Table2Report> => (env) => async () => {
          const [first] = everybody;
          const report: Table2Report = {
            preset: what.preset,
            device: `${env.backend.device} (${processor()})`,
            effort: what.effort,
            content: first?.config.training.content.map(({ network }) => network) ?? [],
            rows: inOrder(rows),
            peakBytes: await peakBytes(),
          };
          return await write(`${what.out}/table2`, report)(env)();
        }),
      )
    ),
  );
