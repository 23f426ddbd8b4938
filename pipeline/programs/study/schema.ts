/**
 * The file of a user study: one SQLite database with pictures, key and votes, in which what must
 * not be cannot be written.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { Err } from "../../core/errors.ts";
import { E } from "../../core/fp.ts";

/** The name of the file in the study's folder. */
export const studyFile = "study.sqlite";

const applicationId = 0x48535544, formatVersion = 1;

/**
 * Picture 0 of a triplet is the fake. The three come of three videos (`UNIQUE (triplet, video)`),
 * a rater has one vote for a triplet (the key of `vote`).
 */
const schema = `
CREATE TABLE study (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  id TEXT NOT NULL,
  seed INTEGER NOT NULL,
  rounds INTEGER NOT NULL CHECK (rounds > 0),
  settings TEXT NOT NULL,
  finished TEXT -- NULL while it is being built
) STRICT;
CREATE TABLE person (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE exclusion (
  id INTEGER PRIMARY KEY,
  person TEXT NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TABLE triplet (
  id INTEGER PRIMARY KEY,
  person TEXT NOT NULL,
  method TEXT NOT NULL,
  shots INTEGER NOT NULL CHECK (shots > 0),
  target INTEGER NOT NULL CHECK (target >= 0),
  UNIQUE (person, method, shots, target)
) STRICT;
CREATE TABLE picture (
  triplet INTEGER NOT NULL REFERENCES triplet,
  slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 2),
  video TEXT NOT NULL,
  frame INTEGER NOT NULL CHECK (frame >= 0),
  png BLOB NOT NULL,
  PRIMARY KEY (triplet, slot),
  UNIQUE (triplet, video)
) STRICT;
CREATE TABLE rater (
  number INTEGER PRIMARY KEY,
  token TEXT NOT NULL UNIQUE,
  since TEXT NOT NULL
) STRICT;
CREATE TABLE vote (
  rater INTEGER NOT NULL REFERENCES rater,
  triplet INTEGER NOT NULL REFERENCES triplet,
  place INTEGER NOT NULL CHECK (place BETWEEN 1 AND 3),
  slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 2),
  seconds REAL CHECK (seconds >= 0),
  at TEXT NOT NULL,
  PRIMARY KEY (rater, triplet)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${formatVersion};
`;

const said = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause);

/** Turns what the database throws into a value: "Cannot keep the votes of …: the disk is full". */
export const attemptStudy = <A>(
  path: string,
  what: string,
  act: () => A,
): E.Either<Err<"Checkpoint">, A> =>
  E.tryCatch(
    act,
    (cause) => ({
      _tag: "Checkpoint",
      path,
      message: `Cannot ${what}: ${said(cause)}, expected a file that can be written`,
      cause,
    }),
  );

/** All of `act` or nothing of it is written. Throws what `act` or the database throws. */
export const inTransaction = <A>(database: DatabaseSync, act: () => A): A => {
  database.exec("BEGIN IMMEDIATE");
  try {
    const made = act();
    database.exec("COMMIT");
    return made;
  } catch (cause) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw cause;
  }
};

const open = (path: string): DatabaseSync => {
  // Another process may be writing: the server and a report, say.
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    // A vote that was answered for survives a power cut: the log is synced at each.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
};

const pragma = (database: DatabaseSync, name: string): unknown =>
  database.prepare(`PRAGMA ${name}`).get()?.[name];

/** What kind of file it is, in words; undefined where it is a study of this format. */
const foreign = (database: DatabaseSync): string | undefined => {
  if (pragma(database, "application_id") !== applicationId) return "it is another database";
  const version = pragma(database, "user_version");
  return version === formatVersion
    ? undefined
    : `its format is ${version}, and ${formatVersion} is read`;
};

/** How a file is opened. */
export interface OpenOptions {
  /** Makes the file where there is none. Default false. */
  readonly create?: boolean;
}

const isEmpty = (database: DatabaseSync): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;

/**
 * Opens the file of a study; the caller closes it. `BadFile` where there is none in the folder, or
 * it is something else.
 */
export const openStudyFile = async (
  folder: string,
  { create = false }: OpenOptions = {},
): Promise<E.Either<Err<"BadFile">, DatabaseSync>> => {
  const path = `${folder}/${studyFile}`;
  const refuse = (problem: string): E.Either<Err<"BadFile">, never> => {
    const expected = create ? "a new folder" : "a folder that `deno task study build` made";
    const message = `Cannot open the study in ${folder}: ${problem}, expected ${expected}`;
    return E.left({ _tag: "BadFile", path, message });
  };
  const isThere = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
  if (!isThere && !create) return refuse(`there is no ${studyFile}`);
  try {
    const database = open(path);
    try {
      if (create && isEmpty(database)) inTransaction(database, () => database.exec(schema));
      const problem = foreign(database);
      if (problem === undefined) return E.right(database);
      database.close();
      return refuse(problem);
    } catch (cause) {
      database.close();
      throw cause;
    }
  } catch (cause) {
    return refuse(said(cause));
  }
};
