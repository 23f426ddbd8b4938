/**
 * What a user study found (section 4.1): how often raters found the fake of each method. One third
 * is chance, and the best that a method can reach.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { E, type TaskEither } from "../../core/fp.ts";
import type { Err } from "../../core/errors.ts";
import { makeRng } from "../../core/rng.ts";
import { bootstrapInterval, type Interval } from "../../metrics/bootstrap.ts";
import { wilsonInterval } from "../../metrics/binomial.ts";
import { replaceFile } from "../checkpoint/durable.ts";
import { attemptStudy } from "./schema.ts";
import { countShown } from "./order.ts";
import { exclusionsOf, type OpenStudy, openStudy } from "./store.ts";
import type { Exclusion } from "./triplets.ts";

/** What raters who cannot see a difference come to. */
export const chanceLevel: number = 1 / 3;

/** One row: a method learnt from T frames. */
export interface StudyRow {
  /** T. */
  readonly shots: number;
  /** Who made the fakes. */
  readonly method: string;
  /** Fakes there are. */
  readonly triplets: number;
  /** People they show. */
  readonly people: number;
  /** Raters with a vote. */
  readonly raters: number;
  /** Votes in all. */
  readonly votes: number;
  /** Votes that found the fake. */
  readonly found: number;
  /** Share of votes that found it, with Wilson's interval of 95 %; null without votes. */
  readonly accuracy: Interval | null;
  /** The same with a bootstrap interval over people: votes about one person hang together. */
  readonly overPeople: Interval | null;
  /** Where both intervals are: all above one third, or below; within where one holds it. */
  readonly chance: "above" | "within" | "below" | null;
}

/** What a study found; also in `report.json`. */
export interface StudyReport {
  /** One row a method and T. */
  readonly rows: readonly StudyRow[];
  /** One third. */
  readonly chance: number;
  /** Who rated: all who began, those with a vote, those who answered all they were shown. */
  readonly raters: { readonly begun: number; readonly voted: number; readonly finished: number };
  /** Votes in all. */
  readonly votes: number;
  /** How often place 1, 2 and 3 was chosen: raters who do not look always choose the same. */
  readonly places: readonly [number, number, number];
  /** Median time of an answer; null where none was measured. */
  readonly medianSeconds: number | null;
  /** What was not shown, and why. */
  readonly excluded: readonly Exclusion[];
}

const number = (value: unknown): number => Number(value ?? 0);

const tripletCounts = (database: DatabaseSync) =>
  database.prepare(
    `SELECT shots, method, count(DISTINCT triplet.id) AS triplets,
            count(DISTINCT person) AS people, count(DISTINCT rater) AS raters
     FROM triplet LEFT JOIN vote ON vote.triplet = triplet.id
     GROUP BY shots, method ORDER BY shots, min(triplet.id)`,
  ).all();

/** For each person whether each vote about them found the fake. */
const answersOf = (
  database: DatabaseSync,
  shots: number,
  method: string,
): ReadonlyMap<string, readonly number[]> => {
  const votes = database.prepare(
    `SELECT person, slot = 0 AS found FROM vote JOIN triplet ON vote.triplet = triplet.id
     WHERE shots = ? AND method = ? ORDER BY triplet.id, rater`,
  ).all(shots, method);
  const people = Map.groupBy(votes, ({ person }) => String(person));
  return new Map(
    [...people].map(([person, own]) => [person, own.map(({ found }) => number(found))]),
  );
};

const sideOf = (intervals: readonly Interval[]): StudyRow["chance"] =>
  intervals.every(({ low }) => low > chanceLevel)
    ? "above"
    : intervals.every(({ high }) => high < chanceLevel)
    ? "below"
    : "within";

const rowsOf = (database: DatabaseSync, seed: number): readonly StudyRow[] =>
  tripletCounts(database).map((row) => {
    const shots = number(row["shots"]), method = String(row["method"]);
    const answers = answersOf(database, shots, method), all = [...answers.values()].flat();
    const votes = all.length, found = all.filter((each) => each === 1).length;
    const accuracy = votes === 0 ? null : wilsonInterval(found, votes);
    const overPeople = votes === 0
      ? null
      : bootstrapInterval(answers, makeRng(seed).fold("intervals"));
    return {
      shots,
      method,
      triplets: number(row["triplets"]),
      people: number(row["people"]),
      raters: number(row["raters"]),
      votes,
      found,
      accuracy,
      overPeople,
      chance: accuracy && overPeople && sideOf([accuracy, overPeople]),
    };
  });

const median = (sorted: readonly number[]): number | null => {
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1], high = sorted[Math.floor(middle)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
};

/** Counts the votes of a study that is open. */
export const countStudy = ({ database, facts }: OpenStudy): StudyReport => {
  const done = database.prepare(
    "SELECT count(vote.rater) AS votes FROM rater LEFT JOIN vote ON rater = number GROUP BY number",
  ).all().map(({ votes }) => number(votes));
  const total = countShown(facts);
  const chosen = database.prepare("SELECT count(*) AS n FROM vote WHERE place = ?");
  const times = database.prepare("SELECT seconds FROM vote WHERE seconds NOT NULL ORDER BY seconds")
    .all().map(({ seconds }) => number(seconds));
  const of = (place: number): number => number(chosen.get(place)?.["n"]);
  return {
    rows: rowsOf(database, facts.seed),
    chance: chanceLevel,
    raters: {
      begun: done.length,
      voted: done.filter((votes) => votes > 0).length,
      finished: done.filter((votes) => votes === total).length,
    },
    votes: done.reduce((sum, votes) => sum + votes, 0),
    places: [of(1), of(2), of(3)],
    medianSeconds: median(times),
    excluded: exclusionsOf(database),
  };
};

const sides = {
  above: "above: raters find it",
  within: "within: not told from guessing",
  below: "below: raters take it for real",
} as const;

const bounds = ({ low, high }: Interval): string => `[${low.toFixed(3)}, ${high.toFixed(3)}]`;

/** How many are excluded, by reason: "12 people with fewer than three videos". */
export const countExclusions = (excluded: readonly Exclusion[]): readonly string[] =>
  [...Map.groupBy(excluded, ({ reason }) => reason)].map(([reason, own]) => {
    const people = new Set(own.map(({ person }) => person)).size;
    return `${people} ${people === 1 ? "person" : "people"}: ${reason}`;
  });

/** The report in Markdown. */
export const studyMarkdown = (report: StudyReport): string => {
  const { rows, raters, votes, places, medianSeconds, excluded } = report;
  const head = ["T", "method", "found", "votes", "raters", "people"];
  const figures = ["accuracy ↓", "95 %, votes", "95 %, people", "against 1/3"];
  const lines = rows.map((row) => [
    row.shots,
    row.method,
    row.found,
    row.votes,
    row.raters,
    row.people,
    row.accuracy?.mean.toFixed(3) ?? "no votes",
    row.accuracy ? bounds(row.accuracy) : "",
    row.overPeople ? bounds(row.overPeople) : "",
    row.chance === null ? "" : sides[row.chance],
  ]);
  return [
    ...[[...head, ...figures], [...head, ...figures].map(() => "---"), ...lines].map((cells) =>
      `| ${cells.join(" | ")} |`
    ),
    "",
    `${votes} votes of ${raters.voted} raters (${raters.begun} began, ${raters.finished} answered ` +
    `everything)${medianSeconds === null ? "" : `, ${medianSeconds.toFixed(1)} s an answer`}; ` +
    `places 1, 2, 3 were chosen ${places.join(", ")} times. Chance is 0.333, lower is better. ` +
    "Intervals: Wilson's, as if votes were independent, and by drawing people anew.",
    "",
    `Excluded: ${countExclusions(excluded).join("; ") || "nobody"}.`,
  ].join("\n");
};

/**
 * Counts the votes of a study and writes `report.json` and `report.md` into its folder, while it
 * is served too. Errors: `BadFile` (no whole study), `Checkpoint` (the folder cannot be written).
 */
export const reportStudy =
  (folder: string): TaskEither<Err<"BadFile" | "Checkpoint">, StudyReport> => async () => {
    const opened = await openStudy(folder);
    if (E.isLeft(opened)) return opened;
    const { database } = opened.right;
    try {
      const counted = attemptStudy(
        folder,
        `count the votes in ${folder}`,
        () => countStudy(opened.right),
      );
      if (E.isLeft(counted)) return counted;
      const report = counted.right;
      const files = [
        ["report.json", JSON.stringify(report, undefined, 2)],
        ["report.md", `${studyMarkdown(report)}\n`],
      ] as const;
      for (const [name, content] of files) {
        const written = await replaceFile(folder, name, content)();
        if (E.isLeft(written)) return written;
      }
      return E.right(report);
    } finally {
      database.close();
    }
  };
