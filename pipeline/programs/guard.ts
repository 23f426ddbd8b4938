/**
 * What happens when training dies: back to the last checkpoint, which is healthy because no other
 * is saved, with both rates halved and other draws; after the third time the run gives up and says
 * why. How often it happened is kept in the run folder, so that resuming goes on in the same way.
 *
 * @module
 */
import type { Training } from "../../models/presets.ts";
import { listOf, nonNegativeInteger, strict, text } from "../core/config.ts";
import { type Codec, decodeConfig } from "../core/config.ts";
import type { Env } from "../core/env.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { readBounded } from "../core/files.ts";
import { E, type ReaderTaskEither } from "../core/fp.ts";
import { replaceFile } from "./checkpoint/durable.ts";

/** One return to a checkpoint. */
export interface Rollback {
  /** The step at which training had died. */
  readonly step: number;
  /** Of what. */
  readonly reason: string;
}

/** Returns to a checkpoint that a run may make. */
export const mostRollbacks = 3;

const file = "rollbacks.json";
const MAX_BYTES = 1 << 20;

const codec: Codec<readonly Rollback[]> = listOf(
  strict({ step: nonNegativeInteger, reason: text }),
);

/** The rollbacks that a run has made; `Checkpoint` where the file is not what was written. */
export const readRollbacks = async (
  run: string,
): Promise<E.Either<Err<"Checkpoint">, readonly Rollback[]>> => {
  const path = `${run}/${file}`;
  const there = await Deno.stat(path).then(() => true, () => false);
  if (!there) return E.right([]);
  const bytes = await readBounded(path, MAX_BYTES)();
  const refused = (problem: string): E.Either<Err<"Checkpoint">, never> =>
    E.left({ _tag: "Checkpoint", path, message: `Cannot read ${path}: ${problem}` });
  if (E.isLeft(bytes)) return refused(bytes.left.message);
  try {
    const decoded = decodeConfig(codec)(JSON.parse(new TextDecoder().decode(bytes.right)));
    return E.isLeft(decoded) ? refused(decoded.left.problems.join("; ")) : decoded;
  } catch {
    return refused("it is not JSON, expected a list of rollbacks");
  }
};

/** The training of a run after so many rollbacks: both rates halved each time. */
export const calmed = (training: Training, rollbacks: number): Training => ({
  ...training,
  generatorRate: training.generatorRate / 2 ** rollbacks,
  discriminatorRate: training.discriminatorRate / 2 ** rollbacks,
});

const deathOf = (error: PipelineError): Rollback | undefined => {
  if (error._tag === "NonFinite") {
    return { step: error.step, reason: `${error.where} is not finite` };
  }
  return error._tag === "Diverged" ? { step: error.step, reason: error.diagnosis } : undefined;
};

/**
 * Notes the death of a run and gives all rollbacks so far; the error itself where it is no death,
 * or where it was one too many: then with what was tried.
 */
export const rollBack = (
  run: string,
  error: PipelineError,
): ReaderTaskEither<Env, PipelineError, readonly Rollback[]> =>
({ emit }) =>
async () => {
  const death = deathOf(error);
  if (!death) return E.left(error);
  const before = await readRollbacks(run);
  if (E.isLeft(before)) return before;
  if (before.right.length >= mostRollbacks) {
    const { step, reason } = death;
    const diagnosis =
      `${reason}, after ${mostRollbacks} returns to a checkpoint with halved rates` +
      "; expected smaller rates or other loss weights";
    return E.left({ _tag: "Diverged", step, diagnosis });
  }
  const all = [...before.right, death];
  const written = await replaceFile(run, file, JSON.stringify(all, undefined, 2))();
  if (E.isLeft(written)) return written;
  emit({ _tag: "RolledBack", ...death, rollbacks: all.length });
  return E.right(all);
};
