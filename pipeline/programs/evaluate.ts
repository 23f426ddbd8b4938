/**
 * Evaluation as a program (section 4): people never trained on, learnt from T frames by every
 * method, measured on other frames of theirs beside answers that need no method.
 *
 * @module
 */
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { abortedBy } from "../core/abort.ts";
import type { Env } from "../core/env.ts";
import { type PipelineError, renderError } from "../core/errors.ts";
import { readBounded } from "../core/files.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Image } from "../core/image.ts";
import { bracket } from "../core/stage.ts";
import { replaceFile } from "./checkpoint/durable.ts";
import { type Answerer, answerers, type NamedMethod } from "./evaluate/answers.ts";
import { describeTruths, type FrameFigures, measureFrame } from "./evaluate/frame_figures.ts";
import { writeGrid, writeStrip } from "./evaluate/grid.ts";
import {
  askAbout,
  type Cast,
  drawCast,
  type Protocol,
  type Subject,
  type TooShort,
} from "./evaluate/protocol.ts";
import { toHtml } from "./evaluate/report.ts";
import {
  openEvaluation,
  type PersonResults,
  readPerson,
  type Unanswered,
  writePerson,
} from "./evaluate/store.ts";
import { type Measured, type Row, tabulate, toCsv, toMarkdown } from "./evaluate/table.ts";

/** What is evaluated, on whom, and where the results go. */
export interface Evaluation {
  /** Whose held-out people. */
  readonly dataset: Dataset;
  /** How many, from how many frames. */
  readonly protocol: Protocol;
  /** The methods side by side. */
  readonly methods: readonly NamedMethod[];
  /** The folder of the results; an evaluation with the same settings goes on there. */
  readonly out: string;
  /** What tells this evaluation from another one: runs, checkpoints, seed. */
  readonly settings: unknown;
}

/** What an evaluation found; also in `table.json`. */
export interface EvaluationReport {
  /** The table. */
  readonly rows: readonly Row[];
  /** Who has too few frames for a T. */
  readonly tooShort: readonly TooShort[];
  /** What could not be answered, and why. */
  readonly unanswered: readonly Unanswered[];
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Failures of one person; all others end the evaluation. */
const isOfPerson = ({ _tag }: PipelineError): boolean =>
  _tag === "BadSample" || _tag === "NonFinite" || _tag === "Data";

const measureAll = async (
  faces: FaceAnalyzer,
  images: readonly Image[],
  truths: Parameters<typeof measureFrame>[2][],
): Promise<E.Either<PipelineError, readonly FrameFigures[]>> => {
  const figures: FrameFigures[] = [];
  for (const [i, truth] of truths.entries()) {
    const image = images[i];
    if (!image) throw new Error(`Cannot measure frame ${i}: it was not answered`);
    const measured = await measureFrame(faces, image, truth);
    if (E.isLeft(measured)) return measured;
    figures.push(measured.right);
  }
  return E.right(figures);
};

/** All answers about one person for one T. */
const questionOne = (
  { dataset, protocol, out }: Evaluation,
  faces: FaceAnalyzer,
  everybody: readonly Answerer[],
  subject: Subject,
  shots: number,
): Program<Omit<PersonResults, "key">> =>
(env) =>
async () => {
  const { key, sequence: { identity } } = subject;
  const question = await askAbout(dataset, subject, shots, protocol.frames);
  if (E.isLeft(question)) {
    const problem = renderError(question.left);
    return E.right({ measured: [], unanswered: [{ key, shots, answer: "", problem }] });
  }
  const truths = await describeTruths(faces, question.right.targets);
  if (E.isLeft(truths)) return truths;
  const measured: Measured[] = [], unanswered: Unanswered[] = [], shown: (readonly Image[])[] = [];
  for (const { name, answer } of everybody) {
    const images = await answer(question.right)(env)();
    if (E.isLeft(images)) {
      if (!isOfPerson(images.left)) return images;
      unanswered.push({ key, shots, answer: name, problem: renderError(images.left) });
      continue;
    }
    const frames = await measureAll(faces, images.right, [...truths.right]);
    if (E.isLeft(frames)) return frames;
    measured.push({ identity, shots, answer: name, frames: frames.right });
    shown.push(images.right);
  }
  const strip = await writeStrip(out, key, shots, question.right, shown)();
  return E.isLeft(strip) ? strip : E.right({ measured, unanswered });
};

const questionPerson = (
  evaluation: Evaluation,
  faces: FaceAnalyzer,
  everybody: readonly Answerer[],
  subject: Subject,
): Program<PersonResults> =>
(env) =>
async () => {
  const { key } = subject;
  const before = await readPerson(evaluation.out, key);
  if (before) return E.right(before);
  const parts: Omit<PersonResults, "key">[] = [];
  for (const shots of subject.shots) {
    if (env.signal.aborted) return E.left(abortedBy(env.signal));
    // Randomness of a person and T is its own: resuming in the middle changes nothing.
    const rng = env.rng.fold("evaluation").fold(key).fold(shots);
    const quiet = { ...env, rng, emit: () => {} };
    const part = await questionOne(evaluation, faces, everybody, subject, shots)(quiet)();
    if (E.isLeft(part)) return part;
    parts.push(part.right);
  }
  const results = {
    key,
    measured: parts.flatMap(({ measured }) => measured),
    unanswered: parts.flatMap(({ unanswered }) => unanswered),
  };
  const written = await writePerson(evaluation.out, results)();
  return E.isLeft(written) ? written : E.right(results);
};

const questionEverybody = (
  evaluation: Evaluation,
  faces: FaceAnalyzer,
  everybody: readonly Answerer[],
  { subjects }: Cast,
): Program<readonly PersonResults[]> =>
(env) =>
async () => {
  const people: PersonResults[] = [];
  for (const subject of subjects) {
    env.emit({ _tag: "Progress", what: "people", done: people.length, of: subjects.length });
    const results = await questionPerson(evaluation, faces, everybody, subject)(env)();
    if (E.isLeft(results)) return results;
    people.push(results.right);
  }
  env.emit({ _tag: "Progress", what: "people", done: people.length, of: subjects.length });
  return E.right(people);
};

const aboutText = ({ dataset, protocol }: Evaluation, { subjects }: Cast): string =>
  `${subjects.length} people of ${dataset.name} never trained on, ${protocol.frames} hold-out ` +
  `frames each, ${dataset.size}×${dataset.size} pixels.`;

const conclude = (
  evaluation: Evaluation,
  cast: Cast,
  columns: readonly string[],
  people: readonly PersonResults[],
): Program<EvaluationReport> =>
(env) =>
async () => {
  const { out, protocol } = evaluation;
  const report: EvaluationReport = {
    rows: tabulate(people.flatMap(({ measured }) => measured), env.rng.fold("intervals")),
    tooShort: cast.tooShort,
    unanswered: people.flatMap(({ unanswered }) => unanswered),
  };
  const grids: { shots: number; png: Uint8Array }[] = [];
  for (const shots of protocol.shots) {
    const keys = cast.subjects.filter((subject) => subject.shots.includes(shots))
      .map(({ key }) => key);
    if (keys.length === 0) continue;
    const path = await writeGrid(out, keys, shots)();
    if (E.isLeft(path)) return path;
    const png = await readBounded(path.right, 256 * 1024 * 1024)();
    if (E.isLeft(png)) return png;
    grids.push({ shots, png: png.right });
  }
  const about = aboutText(evaluation, cast);
  const files: readonly (readonly [name: string, content: string])[] = [
    ["table.json", JSON.stringify(report, undefined, 2)],
    ["table.csv", toCsv(report.rows)],
    ["table.md", `${about}\n\n${toMarkdown(report.rows)}\n`],
    ["report.html", toHtml({ about, columns, grids, ...report })],
  ];
  for (const [name, content] of files) {
    const written = await replaceFile(out, name, content)();
    if (E.isLeft(written)) return written;
  }
  return E.right(report);
};

/**
 * Evaluates methods side by side and writes `table.{json,csv,md}`, `grid-tT.png` and
 * `report.html` into `out`; an evaluation that was stopped goes on with the next person. Errors:
 * `Data` (nobody has frames enough), `Config` (`out` holds another evaluation), `Aborted`, and
 * those of backends, methods and the disk.
 */
export const evaluate = (evaluation: Evaluation): Program<EvaluationReport> =>
  F.pipe(
    drawCast(evaluation.protocol)(evaluation.dataset),
    RTE.tap((): Program<void> => () => openEvaluation(evaluation.out, evaluation.settings)),
    RTE.flatMap((cast): Program<EvaluationReport> =>
      F.pipe(
        answerers(evaluation.dataset, evaluation.methods),
        RTE.flatMap((everybody) =>
          F.pipe(
            bracket(
              () => () => createFaceAnalyzer(),
              (faces: FaceAnalyzer): Program<readonly PersonResults[]> =>
                questionEverybody(evaluation, faces, everybody, cast),
              (faces) => faces.close(),
            )(undefined),
            RTE.flatMap((people) =>
              conclude(evaluation, cast, everybody.map(({ name }) => name), people)
            ),
          )
        ),
      )
    ),
  );
