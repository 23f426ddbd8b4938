/** Streams taken apart and side by side: order, failures, laziness, closing. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E, F } from "../../../pipeline/core/fp.ts";
import { batch, type Flow, fromIterable, take } from "../../../pipeline/core/flow.ts";
import { flatten, zip } from "../../../pipeline/core/flow_shape.ts";

const all = <A>(flow: Flow<unknown, string, A>) => Array.fromAsync(flow(undefined));

/** Counts what is asked of it and whether it was closed. */
const counted = (n: number) => {
  const seen = { asked: 0, closed: false };
  const flow: Flow<unknown, never, number> = async function* () {
    try {
      for (let i = 0; i < n; i++) {
        seen.asked++;
        yield await Promise.resolve(E.right(i));
      }
    } finally {
      seen.closed = true;
    }
  };
  return { seen, flow };
};

Deno.test("flatten undoes batch", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 5 }), async (xs, n) => {
      const items = await all(F.pipe(fromIterable(xs), batch(n), flatten));
      assert.deepEqual(items, xs.map((x) => E.right(x)));
    }),
  );
});

Deno.test("zip pairs in order and ends with the shorter stream", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), fc.array(fc.nat()), async (xs, ys) => {
      const items = await all(F.pipe(fromIterable(xs), zip(fromIterable(ys))));
      const length = Math.min(xs.length, ys.length);
      assert.deepEqual(items, Array.from({ length }, (_, i) => E.right([xs[i], ys[i]])));
    }),
  );
});

Deno.test("zip passes failures of both sides and pairs on", async () => {
  const source = (...items: readonly E.Either<string, number>[]): Flow<unknown, string, number> =>
    async function* () {
      yield* await Promise.resolve(items);
    };
  const items = await all(F.pipe(
    source(E.right(1), E.left("a"), E.right(2)),
    zip(source(E.left("b"), E.right(10), E.right(20))),
  ));
  assert.deepEqual(items, [E.left("b"), E.right([1, 10]), E.left("a"), E.right([2, 20])]);
});

Deno.test("zip asks neither side ahead and closes both", async () => {
  const first = counted(100), second = counted(100);
  const items = await all(F.pipe(first.flow, zip(second.flow), take(3)));
  assert.equal(items.length, 3);
  assert.deepEqual([first.seen, second.seen], [
    { asked: 3, closed: true },
    { asked: 3, closed: true },
  ]);
});
