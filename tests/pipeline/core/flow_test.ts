import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E, F, RTE } from "../../../pipeline/core/fp.ts";
import {
  batch,
  type Flow,
  fromIterable,
  prefetch,
  runCollect,
  runForEach,
  take,
  through,
  throughConcurrently,
  unfold,
} from "../../../pipeline/core/flow.ts";
import { owned } from "../../../pipeline/core/owned.ts";
import { andThen, fromFunction, identity, map, type Stage } from "../../../pipeline/core/stage.ts";
import { type Bench, inventedStage } from "./fakes.ts";
import { calm, watched } from "./watched.ts";

const numbers = fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 12 });
const size = fc.integer({ min: 1, max: 5 });
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** All elements of a stream, failures too, and the trace that its stages left. */
const observe = async <Er, A>(flow: Flow<Bench, Er, A>) => {
  const log: string[] = [];
  return { items: await Array.fromAsync(flow({ bias: 2, log })), log };
};

Deno.test("law: through is a functor on stages: identity and composition", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, inventedStage, inventedStage, async (xs, f, g) => {
      const source = fromIterable(xs);
      assert.deepEqual(
        await observe(F.pipe(source, through(identity<number>()))),
        await observe(source),
      );
      assert.deepEqual(
        await observe(F.pipe(source, through(f), through(g))),
        await observe(F.pipe(source, through(F.pipe(f, andThen(g))))),
      );
    }),
  );
});

Deno.test("law: running concurrently and prefetching give what running in turn gives", async () => {
  await fc.assert(
    fc.asyncProperty(numbers, inventedStage, size, async (xs, f, n) => {
      const { items } = await observe(F.pipe(fromIterable(xs), through(f)));
      const concurrent = await observe(F.pipe(fromIterable(xs), throughConcurrently(n)(f)));
      assert.deepEqual(concurrent.items, items);
      const ahead = await observe(F.pipe(fromIterable(xs), through(f), prefetch(n)));
      assert.deepEqual(ahead.items, items);
    }),
  );
});

Deno.test("law: taking n and then m is taking the smaller; batches join to the whole", async () => {
  await fc.assert(fc.asyncProperty(numbers, fc.nat(14), fc.nat(14), size, async (xs, n, m, k) => {
    const source = fromIterable(xs);
    const twice = await F.pipe(source, take(n), take(m), runCollect)(calm)();
    assert.deepEqual(twice, E.right(xs.slice(0, Math.min(n, m))));
    const batches = await F.pipe(source, batch(k), runCollect)(calm)();
    assert.ok(E.isRight(batches));
    assert.deepEqual(batches.right.flat(), xs);
    assert.ok(batches.right.every((b, i) => b.length === k || i === batches.right.length - 1));
  }));
});

Deno.test("take closes its source and asks for nothing more", async () => {
  await fc.assert(fc.asyncProperty(fc.nat(8), async (n) => {
    const { flow, seen } = watched();
    await F.pipe(flow, take(n), runCollect)(calm)();
    assert.deepEqual(seen, { pulled: n, closed: n > 0 ? 1 : 0 });
  }));
});

Deno.test("unfold yields states until there is none", async () => {
  const powers = unfold(1, (n) => n > 100 ? undefined : [n, n * 3] as const);
  assert.deepEqual(await F.pipe(powers, runCollect)(calm)(), E.right([1, 3, 9, 27, 81]));
});

Deno.test("at most n elements are under way, and as many as n", async () => {
  for (const n of [1, 3, 7]) {
    let running = 0, most = 0;
    const work: Stage<unknown, never, number, number> = (i) => () => async () => {
      most = Math.max(most, ++running);
      await sleep((i * 7) % 4);
      running--;
      return E.right(i);
    };
    const { flow } = watched(20);
    const result = await F.pipe(flow, throughConcurrently(n)(work), runCollect)(calm)();
    assert.deepEqual(result, E.right(Array.from({ length: 20 }, (_, i) => i)));
    assert.equal(most, n);
  }
});

Deno.test("prefetch makes at most n ahead of its reader, and does make them", async () => {
  for (const n of [1, 4]) {
    const { flow, seen } = watched();
    let taken = 0;
    for await (const _ of F.pipe(flow, prefetch(n))({})) {
      taken++;
      await sleep(2);
      assert.ok(seen.pulled <= taken + n, `${seen.pulled} pulled, ${taken} taken`);
      if (taken > 1) assert.ok(seen.pulled >= taken + n - 1);
      if (taken === 10) break;
    }
    assert.equal(seen.closed, 1);
  }
});

type Ahead = (source: Flow<unknown, never, number>) => Flow<unknown, never, number>;
const readAhead: Readonly<Record<string, Ahead>> = {
  prefetch: prefetch(3),
  throughConcurrently: throughConcurrently(3)(identity<number>()),
};
for (const [name, ahead] of Object.entries(readAhead)) {
  Deno.test(`${name} tells a source's rejection at its place, once, and closes`, async () => {
    const breaks: Flow<unknown, never, number> = async function* () {
      yield E.right(1);
      await sleep(1);
      yield E.right(2);
      throw new Error("bug in the source");
    };
    const seen: unknown[] = [];
    await assert.rejects(async () => {
      for await (const item of ahead(breaks)({})) seen.push(item);
    }, /bug in the source/);
    assert.deepEqual(seen, [E.right(1), E.right(2)]);
  });

  Deno.test(`${name} closes its source when its reader leaves or throws`, async () => {
    const { flow, seen } = watched();
    const leave = runForEach((i: number) => i < 4 ? RTE.right(i) : RTE.left("enough"));
    assert.deepEqual(await F.pipe(flow, ahead, leave)(calm)(), E.left("enough"));
    assert.equal(seen.closed, 1);
    const second = watched();
    const throws = runForEach((): RTE.ReaderTaskEither<unknown, never, void> => {
      throw new Error("bug in the reader");
    });
    await assert.rejects(F.pipe(second.flow, ahead, throws)(calm)(), /bug in the reader/);
    assert.equal(second.seen.closed, 1);
  });
}

Deno.test("a stage that rejects while run concurrently is told once, and nothing is left over", async () => {
  const { flow, seen } = watched();
  const work: Stage<unknown, never, number, number> = (i) => () => () =>
    i === 3 ? Promise.reject(new Error("bug in the stage")) : sleep(1).then(() => E.right(i));
  const got: unknown[] = [];
  await assert.rejects(async () => {
    for await (const item of F.pipe(flow, throughConcurrently(4)(work))({})) got.push(item);
  }, /bug in the stage/);
  assert.deepEqual(got, [0, 1, 2].map(E.right));
  assert.equal(seen.closed, 1);
});

Deno.test("what prefetch, batch and runFold hold when they end early is disposed", async () => {
  let alive = 0;
  const made = (end: number) =>
    F.pipe(
      watched(end).flow,
      through(fromFunction((i: number) => (alive++, owned(i, () => void alive--)))),
    );
  type Held = ReturnType<typeof owned<number>>;
  const stopAt = (n: number) =>
    runForEach((it: Held): RTE.ReaderTaskEither<unknown, string, void> => {
      const { value } = it;
      it[Symbol.dispose]();
      return value === n ? RTE.left("stop") : RTE.right(undefined);
    });
  await F.pipe(made(100), prefetch(5), stopAt(3))(calm)();
  assert.equal(alive, 0);
  const broken: Flow<unknown, string, Held> = async function* (r) {
    yield* made(2)(r);
    yield E.left("broken");
  };
  await F.pipe(broken, batch(5), runForEach(() => RTE.right(0)))(calm)();
  assert.equal(alive, 0);
  const controller = new AbortController();
  const aborts = F.pipe(
    made(9),
    through(map((it: Held) => (controller.abort("now"), it))(identity<Held>())),
  );
  const result = await F.pipe(aborts, stopAt(99))({ signal: controller.signal })();
  assert.deepEqual(result, E.left({ _tag: "Aborted", reason: "now" }));
  assert.equal(alive, 0);
});

Deno.test("a stream runs afresh each time", async () => {
  const flow = F.pipe(fromIterable([1, 2, 3]), prefetch(2), take(2), runCollect);
  assert.deepEqual(await flow(calm)(), await flow(calm)());
});

Deno.test("nonsense sizes are bugs", () => {
  for (const n of [0, -1, 1.5, NaN]) {
    assert.throws(() => prefetch(n), /expected a positive integer/);
    assert.throws(() => batch(n), /expected a positive integer/);
    assert.throws(() => throughConcurrently(n), /expected a positive integer/);
  }
});
