/**
 * Raters and their votes. Every function throws what the database throws.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

/** How far a rater is. */
export interface RaterProgress {
  /** Triplets answered. */
  readonly done: number;
  /** Triplets in all. */
  readonly total: number;
}

/** A vote as it is kept. */
export interface Vote {
  /** Number of the rater. */
  readonly rater: number;
  /** Number of the triplet. */
  readonly triplet: number;
  /** Where the picture stood: 1, 2, 3. */
  readonly place: number;
  /** Which picture it was: 0 is the fake. */
  readonly slot: number;
  /** From the moment the pictures were there; undefined where the page cannot say. */
  readonly seconds?: number;
  /** When, ISO 8601. */
  readonly at: string;
}

/** Adds a rater, known by a secret; their number, from 1. */
export const addRater = (database: DatabaseSync, token: string, since: string): number =>
  Number(
    database.prepare("INSERT INTO rater (token, since) VALUES (?, ?)").run(token, since)
      .lastInsertRowid,
  );

/** The number of the rater with that secret. */
export const findRater = (database: DatabaseSync, token: string): number | undefined => {
  const row = database.prepare("SELECT number FROM rater WHERE token = ?").get(token);
  return row === undefined ? undefined : Number(row["number"]);
};

/** How many raters there are. */
export const countRaters = (database: DatabaseSync): number =>
  Number(database.prepare("SELECT count(*) AS raters FROM rater").get()?.["raters"] ?? 0);

/** How many votes a rater has given, or all. */
export const countVotes = (database: DatabaseSync, rater?: number): number => {
  const row = rater === undefined
    ? database.prepare("SELECT count(*) AS votes FROM vote").get()
    : database.prepare("SELECT count(*) AS votes FROM vote WHERE rater = ?").get(rater);
  return Number(row?.["votes"] ?? 0);
};

/** Keeps a vote; false where that rater has one for that triplet already, which stays as it is. */
export const keepVote = (
  database: DatabaseSync,
  { rater, triplet, place, slot, seconds, at }: Vote,
): boolean =>
  Number(
    database.prepare(
      `INSERT INTO vote (rater, triplet, place, slot, seconds, at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (rater, triplet) DO NOTHING`,
    ).run(rater, triplet, place, slot, seconds ?? null, at).changes,
  ) === 1;

/** The bytes of a picture. */
export const pictureOf = (
  database: DatabaseSync,
  triplet: number,
  slot: number,
): Uint8Array<ArrayBuffer> | undefined => {
  const png = database.prepare("SELECT png FROM picture WHERE triplet = ? AND slot = ?")
    .get(triplet, slot)?.["png"];
  return png instanceof Uint8Array ? new Uint8Array(png) : undefined;
};
