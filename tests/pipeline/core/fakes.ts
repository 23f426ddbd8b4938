/** A backend without a device, and stages that fast-check can invent. */
import fc from "npm:fast-check@4.3.0";
import { E, TE } from "../../../pipeline/core/fp.ts";
import type { Backend } from "../../../pipeline/core/env.ts";
import type { BadSample } from "../../../pipeline/core/errors.ts";
import type { Stage } from "../../../pipeline/core/stage.ts";

/** A thing that is alive until it is disposed; disposing it twice throws. */
export interface FakeTensor {
  readonly id: number;
  readonly dispose: () => void;
}

/** A backend that counts what is alive. Like `tidy`: where `f` throws, what it made dies. */
export const fakeBackend = () => {
  const alive = new Set<FakeTensor>();
  let made: FakeTensor[] = [];
  let ids = 0;
  const tensor = (): FakeTensor => {
    const it: FakeTensor = {
      id: ++ids,
      dispose: () => {
        if (!alive.delete(it)) throw new Error(`tensor ${it.id} was disposed twice`);
      },
    };
    alive.add(it);
    made.push(it);
    return it;
  };
  const isTensor = (value: unknown): value is FakeTensor =>
    typeof value === "object" && value !== null && "dispose" in value;
  const leaves = (value: unknown): readonly FakeTensor[] =>
    isTensor(value)
      ? [value]
      : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(leaves)
      : [];
  const backend: Backend = {
    name: "cpu",
    device: "fake",
    maxTensorBytes: 1000,
    run: (op, f) => () => {
      made = [];
      try {
        const result = f();
        const kept = new Set(leaves(result));
        for (const it of made) if (!kept.has(it)) it.dispose();
        return Promise.resolve(E.right(result));
      } catch (cause) {
        for (const it of made) it.dispose();
        return Promise.resolve(E.left({ _tag: "Backend", op, message: String(cause), cause }));
      }
    },
    read: (_op, f) => TE.fromTask(f),
    dispose: (value) => {
      for (const it of leaves(value)) it.dispose();
    },
    tensors: () => alive.size,
    close: () => Promise.resolve(),
  };
  return { backend, tensor, alive };
};

/** What the invented stages need: a number that they use, a list in which they write. */
export interface Bench {
  readonly bias: number;
  readonly log: string[];
}

export type Invented = Stage<Bench, BadSample, number, number>;

const bad = (key: string): BadSample => ({
  _tag: "BadSample",
  key,
  reason: "unreadable",
  message: "invented",
});

/** Stages from number to number: pure ones, ones that use their needs, that wait, that fail. */
export const inventedStage: fc.Arbitrary<Invented> = fc.record({
  name: fc.string({ minLength: 1, maxLength: 3 }),
  add: fc.integer({ min: -9, max: 9 }),
  times: fc.integer({ min: -3, max: 3 }),
  failsAt: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 2 }),
  waits: fc.boolean(),
}).map(({ name, add, times, failsAt, waits }): Invented => (a) => ({ bias, log }) => async () => {
  log.push(`${name}(${a})`);
  if (waits) await Promise.resolve();
  return failsAt !== null && Math.abs(a) % 5 === failsAt
    ? E.left(bad(`${name}:${a}`))
    : E.right((a + add + bias) * times);
});

/** Runs a stage on a fresh bench: its result and its trace. */
export const observe = async <Er, B>(self: Stage<Bench, Er, number, B>, a: number) => {
  const log: string[] = [];
  return { result: await self(a)({ bias: 2, log })(), log };
};
