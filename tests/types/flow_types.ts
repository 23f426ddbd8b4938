/** Streams and owned values: what must not compile. Nothing here runs. */
import { F, type RTE } from "../../pipeline/core/fp.ts";
import type { Env, HasAbort, HasBackend, HasEvents, HasRng } from "../../pipeline/core/env.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import {
  batch,
  type Flow,
  fromIterable,
  prefetch,
  runCollect,
  runFold,
  skipBadSamples,
  take,
  through,
  throughConcurrently,
} from "../../pipeline/core/flow.ts";
import { compute, mutate, type Owned, transfer } from "../../pipeline/core/owned.ts";
import { andThen, type Stage } from "../../pipeline/core/stage.ts";
import { assertType, type IsExact } from "@std/testing/types";

declare const decode: Stage<HasRng, Err<"BadSample">, number, string>;
declare const embed: Stage<HasBackend & HasRng, Err<"Backend">, number, string>;
declare const inEnv: Stage<Env, Err<"Backend">, number, string>;
declare const numbers: Flow<HasEvents, Err<"Data">, number>;
declare const calm: HasAbort;

type Fails<F> = F extends Flow<never, infer E, unknown> ? E : never;

export const theBackendRunsAlone = () => {
  const ok: Flow<HasRng & HasEvents, Err<"BadSample"> | Err<"Data">, string> = F.pipe(
    numbers,
    throughConcurrently(2)(decode),
  );
  // @ts-expect-error a backend stage run concurrently, type arguments inferred
  throughConcurrently(2)(embed);
  // @ts-expect-error the same inside a pipe
  F.pipe(numbers, throughConcurrently(2)(embed));
  // @ts-expect-error the same with the type arguments written out
  throughConcurrently(2)<HasBackend & HasRng, Err<"Backend">, number, string>(embed);
  // @ts-expect-error the same where the need is the whole environment
  throughConcurrently(2)(inEnv);
  // @ts-expect-error the same where the need came from a later stage
  throughConcurrently(2)(F.pipe(decode, andThen((_: string) => embed(1))));
  return [ok, F.pipe(numbers, through(embed))];
};

export const streamsAddUp = () => {
  const flow = F.pipe(numbers, through(decode), batch(4), prefetch(2), take(3));
  assertType<IsExact<Fails<typeof flow>, Err<"BadSample"> | Err<"Data">>>(true);
  const skipped = F.pipe(flow, skipBadSamples(3));
  assertType<IsExact<Fails<typeof skipped>, Err<"Data">>>(true);
  const all = F.pipe(skipped, runCollect);
  // @ts-expect-error randomness and events are missing
  all(calm);
  // @ts-expect-error an abort is a failure that the declared program hides
  const silent: RTE.ReaderTaskEither<Env, Err<"Data">, readonly (readonly string[])[]> = all;
  // @ts-expect-error bad samples leak where nobody skips them
  const leaky: RTE.ReaderTaskEither<Env, Err<"Data" | "Aborted">, unknown> = F.pipe(
    flow,
    runCollect,
  );
  const join = runFold("", (s: string, a: string) => () => () => Promise.reject(s + a));
  // @ts-expect-error the fold wants text, the stream has numbers
  join(fromIterable([1]));
  return [silent, leaky];
};

declare const images: Owned<{ readonly pixels: Float32Array }>;
declare const norm: Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  Owned<{ readonly pixels: Float32Array }>,
  Owned<number>
>;

export const ownershipIsExplicit = () => {
  const area = compute("area", (n: number) => n * 2);
  const chain = F.pipe(norm, andThen(area));
  // @ts-expect-error a bare value has no owner
  chain(images.value);
  // @ts-expect-error the device can be lost
  const never: Stage<HasBackend, Err<"Backend">, Owned<number>, Owned<number>> = area;
  // @ts-expect-error the value of an owned thing is read only
  images.value = { pixels: new Float32Array(1) };
  // @ts-expect-error a step must return the next state
  mutate("step", (n: number): readonly [string, number] => ["x", n])(transfer(images));
  return never;
};
