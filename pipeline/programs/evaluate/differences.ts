/**
 * Answer against answer on the same frames: what fine-tuning adds, what a method adds to copying.
 * People differ more from each other than answers do, so intervals of two rows may overlap where
 * one answer is better for everybody; the interval of the difference says so.
 *
 * @module
 */
import type { Rng } from "../../core/rng.ts";
import { bootstrapInterval, type Interval } from "../../metrics/bootstrap.ts";
import { type Figured, forFigures, type FrameFigures, namesOf } from "./frame_figures.ts";
import type { Measured } from "./table.ts";

/** How much an answer differs from another one on the same frames of the same people. */
export interface Difference {
  /** T. */
  readonly shots: number;
  /** The answer. */
  readonly answer: string;
  /** What is subtracted. */
  readonly minus: string;
  /** How many people both answered for. */
  readonly people: number;
  /** Mean differences over frames with 95 % bootstrap intervals over people. */
  readonly figures: Figured<Interval>;
}

/** The answer that copies the nearest source frame. */
export const copied = "nearest, copy";

/** What is compared: names of answers. */
export interface Compared {
  /** The answers of methods. */
  readonly learnt: readonly string[];
  /** What is subtracted from each of them; by default the copied nearest frame. */
  readonly references?: readonly string[];
}

const untuned = (answer: string): string => answer.replace(/, fine-tuned$/, ", feed-forward");

/** Tuned answers with untuned ones, each answer with the references; no pair both ways round. */
const pairsOf = (
  { learnt, references = [copied] }: Compared,
): readonly (readonly [answer: string, minus: string])[] =>
  learnt.flatMap((answer) => {
    const own = references.indexOf(answer);
    const others = references.filter((reference, i) =>
      (own < 0 || i < own) && untuned(reference) !== answer
    );
    return [...new Set([untuned(answer), ...others])].filter((minus) => minus !== answer)
      .map((minus) => [answer, minus] as const);
  });

const differenceOf = (
  measured: readonly Measured[],
  [answer, minus]: readonly [string, string],
  rng: Rng,
): readonly Difference[] => {
  const [first] = measured;
  const byPerson = Map.groupBy(measured, ({ identity }) => identity);
  const framesOf = (parts: readonly Measured[], name: string): readonly FrameFigures[] =>
    parts.filter((part) => part.answer === name).flatMap(({ frames }) => frames);
  const both = [...byPerson].map(([identity, parts]) =>
    [identity, framesOf(parts, answer), framesOf(parts, minus)] as const
  ).filter(([, here, there]) => here.length > 0 && here.length === there.length);
  if (!first || both.length === 0) return [];
  const interval = (of: (figures: FrameFigures) => number): Interval =>
    bootstrapInterval(
      new Map(both.map(([identity, here, there]) => [
        identity,
        here.map((figures, i) => of(figures) - of(there[i] ?? figures)),
      ])),
      rng,
    );
  return [{
    ...{ shots: first.shots, answer, minus, people: both.length },
    figures: forFigures(both.flatMap(([, here, there]) => [...here, ...there]), interval),
  }];
};

/**
 * The differences of answers from the references, and of fine-tuned ones from feed-forward ones, T
 * by T. A person for whom one of the two is missing is left out.
 */
export const differencesOf = (
  measured: readonly Measured[],
  compared: Compared,
  rng: Rng,
): readonly Difference[] =>
  [...Map.groupBy(measured, ({ shots }) => shots)].toSorted(([a], [b]) => a - b)
    .flatMap(([, ofShots]) =>
      pairsOf(compared).flatMap((pair) => differenceOf(ofShots, pair, rng))
    );

const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

/** The differences in Markdown, intervals in brackets. */
export const differencesToMarkdown = (differences: readonly Difference[]): string => {
  const names = namesOf(differences);
  const head = ["T", "answer", "minus", "people", ...names];
  const lines = differences.map(({ shots, answer, minus, people, figures }) => [
    ...[shots, answer, minus, people],
    ...names.map((name) => {
      const found = figures[name];
      return found ? `${signed(found.mean)} [${signed(found.low)}, ${signed(found.high)}]` : "";
    }),
  ]);
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
};
