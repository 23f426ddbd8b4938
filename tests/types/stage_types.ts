/**
 * What must not compile does not: each `@ts-expect-error` fails the check where it stands over a
 * line without an error. Nothing here runs.
 */
import { F, type RTE } from "../../pipeline/core/fp.ts";
import type { Env, HasBackend, HasEvents, HasRng } from "../../pipeline/core/env.ts";
import type { Err, PipelineError } from "../../pipeline/core/errors.ts";
import type { Rng } from "../../pipeline/core/rng.ts";
import {
  andThen,
  both,
  bracket,
  fromFunction,
  identity,
  map,
  orElse,
  provide,
  type Stage,
  tap,
} from "../../pipeline/core/stage.ts";
import { assertType, type IsExact } from "@std/testing/types";

interface Clip {
  readonly key: string;
}
interface Pair {
  readonly t: number;
}

declare const sample: Stage<HasRng, Err<"BadSample">, Clip, Pair>;
declare const load: Stage<HasBackend, Err<"Backend">, Pair, number>;
declare const tell: Stage<HasEvents, never, unknown, void>;
declare const rng: Rng;
declare const env: Env;

type Needs<S> = S extends (a: never) => (r: infer R) => unknown ? R : never;
type Fails<S> = S extends (a: never) => RTE.ReaderTaskEither<never, infer E, unknown> ? E : never;

export const needsAddUp = () => {
  const one = F.pipe(sample, andThen(load), map((n) => n + 1), tap(tell));
  assertType<IsExact<Fails<typeof one>, Err<"BadSample"> | Err<"Backend">>>(true);
  const needs: Needs<typeof one> = env;
  void needs;
  one({ key: "a" })(env);
  // @ts-expect-error the backend and the events are missing
  one({ key: "a" })({ rng });
  // @ts-expect-error a clip is not a number
  one(3)(env);
  // @ts-expect-error the stages do not fit: a pair is made, a clip is wanted
  F.pipe(sample, andThen(sample));
};

export const failuresAddUp = () => {
  const one = F.pipe(sample, andThen(load));
  const wide: Stage<HasRng & HasBackend, PipelineError, Clip, number> = one;
  // @ts-expect-error Backend leaks: the declared stage fails with BadSample only
  const narrow: Stage<HasRng & HasBackend, Err<"BadSample">, Clip, number> = one;
  // @ts-expect-error both failures leak: the declared stage cannot fail
  const never: Stage<HasRng & HasBackend, never, Clip, number> = one;
  // @ts-expect-error tap's failure leaks
  const tapped: Stage<HasBackend, never, Pair, Pair> = F.pipe(identity<Pair>(), tap(load));
  // @ts-expect-error both's second failure leaks
  const pair: Stage<HasRng, never, Clip, readonly [Clip, Pair]> = both(identity<Clip>(), sample);
  // @ts-expect-error bracket's failure leaks
  const held: Stage<Env, never, Clip, number> = bracket(sample, load, () => {});
  return [wide, narrow, never, tapped, pair, held];
};

export const needsCannotBeDropped = () => {
  // @ts-expect-error the stage needs randomness, the declared one promises to need nothing
  const free: Stage<unknown, Err<"BadSample">, Clip, Pair> = sample;
  const more: Stage<HasRng & HasEvents, Err<"BadSample">, Clip, Pair> = sample;
  return [free, more];
};

export const recoveringRemovesFailures = () => {
  const safe = F.pipe(sample, orElse(() => tell(0)));
  assertType<IsExact<Fails<typeof safe>, never>>(true);
  const all: Stage<HasRng & HasEvents, never, Clip, Pair | void> = safe;
  // @ts-expect-error the recovery's need does not vanish
  const less: Stage<HasRng, never, Clip, Pair | void> = safe;
  return [all, less];
};

export const providingRemovesNeeds = () => {
  const given = F.pipe(sample, andThen(load), provide({ rng }));
  const rest: Stage<HasBackend, Err<"BadSample" | "Backend">, Clip, number> = given;
  // @ts-expect-error the backend is still needed
  given({ key: "a" })({});
  // @ts-expect-error rng is no Rng
  F.pipe(sample, provide({ rng: 3 }));
  return rest;
};

export const failuresAreExhaustive = (error: Err<"BadSample"> | Err<"Backend">): string => {
  switch (error._tag) {
    case "BadSample":
      return error.key;
    case "Backend":
      return error.op;
    // @ts-expect-error no such failure is possible
    case "DeviceLost":
      return "";
  }
};

export const tagsAreClosed = () => {
  // @ts-expect-error there is no such tag
  type Unknown = Err<"Oops">;
  const lifted: Stage<unknown, never, number, string> = fromFunction((n: number) => `${n}`);
  return [lifted, null as unknown as Unknown];
};
