/**
 * The curves of a run, read from its `events.jsonl`.
 *
 * @module
 */
import { E, F, type TaskEither, TE } from "../../core/fp.ts";
import type { Err } from "../../core/errors.ts";
import { readBounded } from "../../core/files.ts";
import { eventsPath } from "../checkpoint/run_folder.ts";

/** One figure after one step. */
export interface Point {
  /** What the figure is called: "content/pixels", "l1". */
  readonly name: string;
  /** Steps done. */
  readonly step: number;
  readonly value: number;
}

/** All figures of a run that counted, in the order of their steps. */
export interface Curves {
  /** Figures of training steps: losses, norms of gradients. */
  readonly training: readonly Point[];
  /** Figures on people never trained on. */
  readonly unseen: readonly Point[];
  /** Steps to which training went back. */
  readonly rollbacks: readonly number[];
}

/** A log of a million steps has some 500 MB. */
const mostBytes = 2 ** 30;

type Json = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lines that are whole; the last one of a killed run may be torn. */
const parseLines = (text: string): readonly Json[] =>
  text.split("\n").flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return isRecord(value) ? [value] : [];
    } catch {
      return [];
    }
  });

const pointsOf = (step: number, figures: unknown): readonly Point[] =>
  isRecord(figures)
    ? Object.entries(figures).flatMap(([name, value]) =>
      typeof value === "number" ? [{ name, step, value }] : []
    )
    : [];

/**
 * The curves in the lines of a log. Where training went back, or went on from an earlier
 * checkpoint, what came after that step counts no more.
 */
export const curvesOf = (text: string): Curves => {
  let training: Point[] = [], unseen: Point[] = [];
  const rollbacks: number[] = [];
  for (const { _tag, step, losses, figures } of parseLines(text)) {
    if (typeof step !== "number") continue;
    if (_tag === "RunStarted" || _tag === "RolledBack") {
      training = training.filter((point) => point.step <= step);
      unseen = unseen.filter((point) => point.step <= step);
    }
    if (_tag === "RolledBack") rollbacks.push(step);
    if (_tag === "StepDone") training.push(...pointsOf(step, losses));
    if (_tag === "Evaluated") unseen.push(...pointsOf(step, figures));
  }
  return { training, unseen, rollbacks };
};

/** Reads the curves of a run folder. `BadFile` where there is no log, or none with a step in it. */
export const readCurves = (run: string): TaskEither<Err<"BadFile">, Curves> => {
  const path = eventsPath(run);
  return F.pipe(
    readBounded(path, mostBytes),
    TE.map((bytes) => curvesOf(new TextDecoder().decode(bytes))),
    TE.flatMapEither((curves): E.Either<Err<"BadFile">, Curves> =>
      curves.training.length > 0 ? E.right(curves) : E.left({
        _tag: "BadFile",
        path,
        message: `Cannot plot ${path}: it tells of no step, expected the log of a run`,
      })
    ),
  );
};
