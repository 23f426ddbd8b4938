/**
 * What building a study writes into its file, and what everybody else reads of it.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { differences, renderDifference } from "../../core/differences.ts";
import type { Err } from "../../core/errors.ts";
import { E } from "../../core/fp.ts";
import { attempt } from "../checkpoint/durable.ts";
import type { Orders } from "./order.ts";
import { attemptStudy, inTransaction, openStudyFile } from "./schema.ts";
import type { Exclusion, ExclusionReason } from "./triplets.ts";

/** One of the three pictures of a triplet. */
export interface Picture {
  /** The video that it is of, or that the fake imitates. */
  readonly video: string;
  /** Number of the frame there; of the fake: among the hold-out frames. */
  readonly frame: number;
  /** The file that raters see. */
  readonly png: Uint8Array;
}

/** A fake and two real pictures of one person. */
export interface Triplet {
  /** Whom it shows. */
  readonly person: string;
  /** Who made the fake: a row of the report. */
  readonly method: string;
  /** T. */
  readonly shots: number;
  /** Number of the hold-out frame that the fake imitates. */
  readonly target: number;
  /** The fake first. */
  readonly pictures: readonly [fake: Picture, real: Picture, real: Picture];
}

/** What a study is, besides its pictures. */
export interface StudyFacts extends Orders {
  /** Random; tells the cookies of studies on one machine apart. */
  readonly id: string;
}

/** How much a study holds. */
export interface StudySize {
  /** Triplets that raters are asked about. */
  readonly triplets: number;
  /** People they show. */
  readonly people: number;
  /** Rows of the report. */
  readonly methods: readonly string[];
  /** What is not in it, and why. */
  readonly excluded: readonly Exclusion[];
}

type Refusal = Err<"Config" | "Checkpoint" | "BadFile">;

/** As JSON keeps it. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const rowOf = (database: DatabaseSync) =>
  database.prepare("SELECT id, seed, rounds, settings, finished FROM study").get();

/**
 * Opens the file of a study that is to be built, a new one or one with the same settings; the
 * caller closes it. `Config` where the folder holds another study.
 */
export const beginStudy = async (
  folder: string,
  { seed, rounds }: Omit<Orders, "triplets">,
  settings: unknown,
): Promise<E.Either<Refusal, DatabaseSync>> => {
  const made = await attempt(folder, `make ${folder}`, async () => {
    await Deno.mkdir(folder, { recursive: true });
  })();
  if (E.isLeft(made)) return made;
  const opened = await openStudyFile(folder, { create: true });
  if (E.isLeft(opened)) return opened;
  const database = opened.right;
  const begun = attemptStudy(folder, `begin a study in ${folder}`, () => {
    const row = rowOf(database);
    if (row !== undefined) return JSON.parse(String(row["settings"])) as unknown;
    database.prepare("INSERT INTO study (only, id, seed, rounds, settings) VALUES (1, ?, ?, ?, ?)")
      .run(crypto.randomUUID().slice(0, 8), seed, rounds, JSON.stringify(settings));
    return settings;
  });
  const before = E.isRight(begun) ? begun.right : settings;
  const changed = differences(plain(before), plain(settings));
  if (E.isRight(begun) && changed.length === 0) return opened;
  database.close();
  if (E.isLeft(begun)) return begun;
  const problem = `Cannot build a study in ${folder}: it holds another one ` +
    `(${changed.slice(0, 3).map(renderDifference).join("; ")}), expected a new folder`;
  return E.left({ _tag: "Config", problems: [problem] });
};

/** True where a person is in the file already, or all of the study is. */
export const isKept = (database: DatabaseSync, key: string): boolean =>
  rowOf(database)?.["finished"] != null ||
  database.prepare("SELECT 1 FROM person WHERE key = ?").get(key) !== undefined;

const writeExclusions = (database: DatabaseSync, excluded: readonly Exclusion[]): void => {
  const insert = database.prepare(
    "INSERT INTO exclusion (person, reason, detail) VALUES (?, ?, ?)",
  );
  excluded.forEach(({ person, reason, detail }) => insert.run(person, reason, detail));
};

/** Keeps everything about one person, or nothing. Throws what the database throws. */
export const keepPerson = (
  database: DatabaseSync,
  key: string,
  triplets: readonly Triplet[],
  excluded: readonly Exclusion[],
): void =>
  inTransaction(database, () => {
    const one = database.prepare(
      "INSERT INTO triplet (person, method, shots, target) VALUES (?, ?, ?, ?)",
    );
    const three = database.prepare(
      "INSERT INTO picture (triplet, slot, video, frame, png) VALUES (?, ?, ?, ?, ?)",
    );
    for (const { person, method, shots, target, pictures } of triplets) {
      const { lastInsertRowid } = one.run(person, method, shots, target);
      pictures.forEach(({ video, frame, png }, slot) =>
        three.run(lastInsertRowid, slot, video, frame, png)
      );
    }
    writeExclusions(database, excluded);
    database.prepare("INSERT INTO person (key) VALUES (?)").run(key);
  });

/** Ends the building of a study, once. Throws what the database throws. */
export const finishStudy = (database: DatabaseSync, excluded: readonly Exclusion[]): void =>
  inTransaction(database, () => {
    if (rowOf(database)?.["finished"] != null) return;
    writeExclusions(database, excluded);
    database.prepare("UPDATE study SET finished = ?").run(new Date().toISOString());
  });

/** What is not in a study, and why. */
export const exclusionsOf = (database: DatabaseSync): readonly Exclusion[] =>
  database.prepare("SELECT person, reason, detail FROM exclusion ORDER BY id").all()
    .map(({ person, reason, detail }) => ({
      person: String(person),
      reason: String(reason) as ExclusionReason, // nothing else is ever written
      detail: String(detail),
    }));

/** What a study holds. */
export const sizeOf = (database: DatabaseSync): StudySize => {
  const counts = database
    .prepare("SELECT count(*) AS triplets, count(DISTINCT person) AS people FROM triplet").get();
  return {
    triplets: Number(counts?.["triplets"] ?? 0),
    people: Number(counts?.["people"] ?? 0),
    methods: database.prepare("SELECT method FROM triplet GROUP BY method ORDER BY min(id)").all()
      .map(({ method }) => String(method)),
    excluded: exclusionsOf(database),
  };
};

/** A study that was built to its end; the caller closes the database. */
export interface OpenStudy {
  /** Its file. */
  readonly database: DatabaseSync;
  /** What does not change any more. */
  readonly facts: StudyFacts;
}

/** Opens a study for raters and reports. `BadFile` where there is none, or none that is whole. */
export const openStudy = async (folder: string): Promise<E.Either<Err<"BadFile">, OpenStudy>> => {
  const opened = await openStudyFile(folder);
  if (E.isLeft(opened)) return opened;
  const database = opened.right, row = rowOf(database);
  const triplets = database.prepare("SELECT id, person FROM triplet ORDER BY id").all()
    .map(({ id, person }) => ({ id: Number(id), person: String(person) }));
  if (row?.["finished"] != null && triplets.length > 0) {
    const [seed, rounds] = [Number(row["seed"]), Number(row["rounds"])];
    const facts = { id: String(row["id"]), seed, rounds, triplets };
    return E.right({ database, facts });
  }
  database.close();
  return E.left({
    _tag: "BadFile",
    path: folder,
    message: `Cannot open the study in ${folder}: it is not built to its end, expected the same ` +
      "`deno task study build` to have ended",
  });
};
