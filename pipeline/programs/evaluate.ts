/**
 * Evaluation as a program (section 4): people never trained on, learnt from T frames by every
 * method, measured on other frames of theirs beside answers that need no method.
 *
 * @module
 */
import type { Dataset } from "../../datasets/dataset.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { readBounded } from "../core/files.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import { bracket } from "../core/stage.ts";
import { replaceFile } from "./checkpoint/durable.ts";
import { type Answerer, answerers, type NamedMethod } from "./evaluate/answers.ts";
import { type Difference, differencesOf, differencesToMarkdown } from "./evaluate/differences.ts";
import { distancesOf } from "./evaluate/features.ts";
import { writeGrid } from "./evaluate/grid.ts";
import {
  type JudgeChoice,
  type Judges,
  judgesProblem,
  judgesText,
  openJudges,
} from "./evaluate/judges.ts";
import { type Cast, drawCast, type Protocol, type TooShort } from "./evaluate/protocol.ts";
import { isShown, questionPerson } from "./evaluate/question.ts";
import { describeTooShort, describeUnanswered, toHtml } from "./evaluate/report.ts";
import { openEvaluation, type PersonResults, type Unanswered } from "./evaluate/store.ts";
import { type Row, tabulate, toCsv, toMarkdown, withDistances } from "./evaluate/table.ts";

/** What is evaluated, on whom, and where the results go. */
export interface Evaluation {
  /** Whose held-out people. */
  readonly dataset: Dataset;
  /** How many, from how many frames. */
  readonly protocol: Protocol;
  /** The methods side by side. */
  readonly methods: readonly NamedMethod[];
  /** Which networks judge. */
  readonly judges: JudgeChoice;
  /** The folder of the results; an evaluation with the same settings goes on there. */
  readonly out: string;
  /** What tells this evaluation from another one: runs, checkpoints, seed. */
  readonly settings: unknown;
  /** Whose answers the grids show; everybody's by default. */
  readonly grid?: "everybody" | "methods";
  /** The answers that are subtracted from all others; by default the copied nearest frame. */
  readonly references?: readonly string[];
}

/** What an evaluation found; also in `table.json`. */
export interface EvaluationReport {
  /** The table. */
  readonly rows: readonly Row[];
  /** Answer against answer on the same frames. */
  readonly differences: readonly Difference[];
  /** Who has too few frames for a T. */
  readonly tooShort: readonly TooShort[];
  /** What could not be answered, and why. */
  readonly unanswered: readonly Unanswered[];
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** What is known of everybody, and who judged where those are not the usual judges. */
interface Judged {
  readonly people: readonly PersonResults[];
  readonly judges: string;
}

const questionEverybody = (
  evaluation: Evaluation,
  judges: Judges,
  everybody: readonly Answerer[],
  { subjects }: Cast,
): Program<Judged> =>
(env) =>
async () => {
  const problem = judgesProblem(judges, evaluation.dataset.size);
  if (problem) return E.left(problem);
  const people: PersonResults[] = [];
  for (const subject of subjects) {
    env.emit({ _tag: "Progress", what: "people", done: people.length, of: subjects.length });
    const results = await questionPerson(evaluation, judges, everybody, subject)(env)();
    if (E.isLeft(results)) return results;
    people.push(results.right);
  }
  env.emit({ _tag: "Progress", what: "people", done: people.length, of: subjects.length });
  return E.right({ people, judges: judgesText(judges) });
};

const aboutText = ({ dataset, protocol }: Evaluation, { subjects }: Cast): string =>
  `${subjects.length} people of ${dataset.name} never trained on, ${protocol.frames} hold-out ` +
  `frames each, ${dataset.size}×${dataset.size} pixels.`;

/** People of whom there is not one frame: they cannot be drawn, and are told of for each T. */
const unansweredLost = (
  { dataset: { lost = [] }, protocol: { shots } }: Evaluation,
): readonly Unanswered[] =>
  lost.flatMap(({ identity: key, problem }) =>
    shots.map((each) => ({ key, shots: each, answer: "", problem }))
  );

const missingText = ({ tooShort, unanswered }: EvaluationReport): string => {
  const lines = [
    ...tooShort.map((short) => `- Too few frames: ${describeTooShort(short)}`),
    ...unanswered.map((one) => `- Not answered: ${describeUnanswered(one)}`),
  ];
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
};

const differencesText = ({ differences }: EvaluationReport): string =>
  differences.length === 0
    ? ""
    : `\nOn the same frames of the same people:\n\n${differencesToMarkdown(differences)}\n`;

const conclude = (
  evaluation: Evaluation,
  cast: Cast,
  everybody: readonly Answerer[],
  { people, judges }: Judged,
): Program<EvaluationReport> =>
(env) =>
async () => {
  const { out, protocol } = evaluation;
  const learnt = everybody.filter(({ trivial }) => !trivial).map(({ name }) => name);
  const compared = { learnt, ...(evaluation.references && { references: evaluation.references }) };
  const measured = people.flatMap((person) => person.measured);
  const rows = tabulate(measured, env.rng.fold("intervals"));
  const distances = await distancesOf(
    out,
    people.map(({ key }) => key),
    rows,
    env.rng.fold("distances"),
  );
  const report: EvaluationReport = {
    rows: withDistances(rows, distances),
    differences: differencesOf(measured, compared, env.rng.fold("differences")),
    tooShort: cast.tooShort,
    unanswered: [
      ...people.flatMap(({ unanswered }) => unanswered),
      ...unansweredLost(evaluation),
    ],
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
  const columns = everybody.filter((each) => isShown(evaluation, each)).map(({ name }) => name);
  const about = aboutText(evaluation, cast) + judges;
  const files: readonly (readonly [name: string, content: string])[] = [
    ["table.json", JSON.stringify(report, undefined, 2)],
    ["table.csv", toCsv(report.rows)],
    [
      "table.md",
      `${about}\n\n${toMarkdown(report.rows)}\n${differencesText(report)}${missingText(report)}`,
    ],
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
 * `Data` (nobody has frames enough), `Config` (`out` holds another evaluation, pictures are too
 * small for a judge), `Aborted`, and those of backends, methods and the disk.
 */
export const evaluate = (evaluation: Evaluation): Program<EvaluationReport> =>
  F.pipe(
    drawCast(evaluation.protocol)(evaluation.dataset),
    RTE.tap((): Program<void> => () => openEvaluation(evaluation.out, evaluation.settings)),
    RTE.flatMap((cast): Program<EvaluationReport> =>
      F.pipe(
        answerers(evaluation.dataset, evaluation.methods, evaluation.protocol),
        RTE.flatMap((everybody) =>
          F.pipe(
            bracket(
              () => openJudges(evaluation.judges),
              (judges: Judges): Program<Judged> =>
                questionEverybody(evaluation, judges, everybody, cast),
              (judges) => judges.close(),
            )(undefined),
            RTE.flatMap((judged) => conclude(evaluation, cast, everybody, judged)),
          )
        ),
      )
    ),
  );
