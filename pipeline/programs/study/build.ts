/**
 * Building a user study (section 4.1): everybody who takes part is learnt by every method from T
 * frames, and each hold-out frame as a method makes it becomes a triplet with two real frames of
 * other videos.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { Dataset } from "../../../datasets/dataset.ts";
import type { Env } from "../../core/env.ts";
import type { Err, PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import type { Owned } from "../../core/owned.ts";
import { bracket } from "../../core/stage.ts";
import { nearest } from "../../core/words.ts";
import { methodAnswerers, type NamedMethod } from "../evaluate/answers.ts";
import type { Protocol } from "../evaluate/protocol.ts";
import { configOf, loadAll, openCommon, type RunsEvaluation } from "../evaluate_runs.ts";
import { attemptStudy } from "./schema.ts";
import { showPerson } from "./show.ts";
import { beginStudy, finishStudy, isKept, keepPerson, sizeOf, type StudySize } from "./store.ts";
import { drawStudyCast, type StudyCast } from "./triplets.ts";

/** Which runs a study compares, on whom, and where it goes. */
export type StudyPlan = Omit<RunsEvaluation, "judges" | "grid"> & Pick<StudyOf, "rounds">;

/** A study of methods that are loaded. */
export interface StudyOf {
  /** Whose held-out people. */
  readonly dataset: Dataset;
  /** How many, from how many frames; each hold-out frame is a triplet a method. */
  readonly protocol: Protocol;
  /** Who makes the fakes. */
  readonly methods: readonly NamedMethod[];
  /** Where the order of raters starts. */
  readonly seed: number;
  /** How often a rater sees a person, at most: see `Orders`. */
  readonly rounds: number;
  /** The folder of the study; one with the same settings is gone on with. */
  readonly out: string;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

const showEverybody =
  (study: StudyOf, { subjects, excluded }: StudyCast) =>
  (database: DatabaseSync): Program<StudySize> =>
  (env) =>
  async () => {
    const { out, methods, protocol } = study;
    const everybody = methodAnswerers(methods, protocol);
    for (const [done, subject] of subjects.entries()) {
      env.emit({ _tag: "Progress", what: "people", done, of: subjects.length });
      if (isKept(database, subject.key)) continue;
      const shown = await showPerson(study, everybody, subject)(env)();
      if (E.isLeft(shown)) return shown;
      const kept = attemptStudy(
        out,
        `keep ${subject.key} in ${out}`,
        () => keepPerson(database, subject.key, shown.right.triplets, shown.right.excluded),
      );
      if (E.isLeft(kept)) return kept;
    }
    env.emit({ _tag: "Progress", what: "people", done: subjects.length, of: subjects.length });
    const size = sizeOf(database);
    if (size.triplets === 0) {
      const message = `Cannot build a study in ${out}: nothing could be shown of ` +
        `${subjects.length} people (${size.excluded[0]?.detail ?? ""}), expected some`;
      return E.left({ _tag: "Data", path: out, message });
    }
    return attemptStudy(out, `end the study in ${out}`, () => {
      finishStudy(database, excluded);
      return sizeOf(database);
    });
  };

/** Ways to learn a person that were asked for and that no method has, methods with none of them. */
const checkWays = (methods: readonly NamedMethod[]): E.Either<Err<"Config">, void> => {
  const known = methods.map(({ label, only, trained }) => ({
    label,
    only,
    ways: trained.value.fewShot.map(({ name }) => name),
  }));
  const all = [...new Set(known.flatMap(({ ways }) => ways))];
  const problems = [
    ...new Set(known.flatMap(({ only = [] }) => only).filter((way) => !all.includes(way))),
  ].map((way) =>
    `Cannot build a study with --ways ${way}: no method learns people so, expected ` +
    (nearest(way, all) ?? `some of ${all.join(", ")}`)
  );
  const idle = known.filter(({ only, ways }) => only && !ways.some((way) => only.includes(way)))
    .map(({ label, ways }) =>
      `Cannot build a study of ${label}: none of its ways is asked for, expected --ways with ` +
      `${ways.join(" or ")}`
    );
  const wrong = problems.length > 0 ? problems : idle;
  return wrong.length > 0 ? E.left({ _tag: "Config", problems: wrong }) : E.right(undefined);
};

/**
 * Builds a study of methods that are loaded; stopped, it goes on with the next person. Errors:
 * `Data` (nobody has three videos, or frames enough), `Config` (`out` holds another study),
 * `Aborted`, and those of methods and the disk.
 */
export const buildStudyOf = (study: StudyOf): Program<StudySize> => {
  const { dataset, protocol, methods, seed, rounds, out } = study;
  const sources = methods.map(({ label, trained, only }) => ({
    label,
    source: trained.value.source,
    ...(only && { only }),
  }));
  const settings = { data: dataset.name, protocol, seed, rounds, methods: sources };
  return F.pipe(
    RTE.fromEither<PipelineError, void, Env>(checkWays(methods)),
    RTE.flatMap((): Program<StudyCast> => drawStudyCast(protocol)(dataset)),
    RTE.flatMap((cast): Program<StudySize> =>
      bracket(
        (): Program<DatabaseSync> => () => () => beginStudy(out, study, settings),
        showEverybody(study, cast),
        (database) => database.close(),
      )(undefined)
    ),
  );
};

/** Builds a study of runs on the disk and methods without training, see {@link buildStudyOf}. */
export const buildStudy = (plan: StudyPlan): Program<StudySize> =>
  F.pipe(
    plan.runs,
    RTE.traverseSeqArray(configOf),
    RTE.flatMap((configs): Program<StudySize> =>
      F.pipe(
        openCommon(plan, configs),
        RTE.flatMap((dataset) =>
          bracket(
            () => loadAll(plan, configs),
            ({ value: methods }: Owned<readonly NamedMethod[]>) =>
              buildStudyOf({ dataset, methods, ...plan }),
            (named) => named[Symbol.dispose](),
          )(undefined)
        ),
      )
    ),
  );
