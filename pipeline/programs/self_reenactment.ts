/**
 * Self-reenactment (section 4): learn a person from some frames, then synthesise other frames of
 * the same person from what drives them alone.
 *
 * @module
 */
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { Image } from "../core/image.ts";
import type { Owned } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";
import type { Trial } from "./held_out.ts";
import type { FewShot, LearntPerson } from "./method.ts";

/** Synthesised targets of one trial. */
export interface Reenactment {
  /** What was asked for. */
  readonly trial: Trial;
  /** The person driven by their own targets. */
  readonly outputs: readonly Image[];
  /** The next person in the list driven by the same targets. */
  readonly withOther: readonly Image[];
}

/**
 * Runs every trial with the person's own few-shot model and with another person's: if both give
 * the same pictures, what was learnt of the person is dead. Errors: those of the method.
 */
export const reenact = (
  { learn }: FewShot,
): Stage<Env, PipelineError, readonly Trial[], readonly Reenactment[]> =>
(trials) =>
(env) =>
async () => {
  const people: Owned<LearntPerson>[] = [];
  try {
    for (const { sources } of trials) {
      const person = await learn(sources)(env)();
      if (E.isLeft(person)) return person;
      people.push(person.right);
    }
    const results: Reenactment[] = [];
    for (const [i, trial] of trials.entries()) {
      const own = people[i], other = people[(i + 1) % trials.length];
      if (!own || !other) throw new Error(`Cannot reenact trial ${i}: nobody was learnt`);
      const outputs = await own.value.render(trial.targets)(env)();
      if (E.isLeft(outputs)) return outputs;
      const withOther = await other.value.render(trial.targets)(env)();
      if (E.isLeft(withOther)) return withOther;
      results.push({ trial, outputs: outputs.right, withOther: withOther.right });
    }
    return E.right(results);
  } finally {
    people.forEach((person) => person[Symbol.dispose]());
  }
};
