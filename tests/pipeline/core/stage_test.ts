import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E, F, RTE } from "../../../pipeline/core/fp.ts";
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
  stage,
  tap,
} from "../../../pipeline/core/stage.ts";
import { type Bench, type Invented, inventedStage, observe } from "./fakes.ts";

const input = fc.integer({ min: -20, max: 20 });

const holds = (
  law: string,
  ...checks: ((
    f: Invented,
    g: Invented,
    h: Invented,
  ) => readonly [Stage<Bench, unknown, number, unknown>, Stage<Bench, unknown, number, unknown>])[]
) =>
  Deno.test(`law: ${law}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        inventedStage,
        inventedStage,
        inventedStage,
        input,
        async (f, g, h, a) => {
          for (const check of checks) {
            const [left, right] = check(f, g, h);
            assert.deepEqual(await observe(left, a), await observe(right, a));
          }
        },
      ),
    );
  });

holds("identity is neutral on the left of andThen", (f) => [andThen(f)(identity<number>()), f]);
holds(
  "identity is neutral on the right of andThen",
  (f) => [F.pipe(f, andThen(identity<number>())), f],
);
holds("andThen is associative", (f, g, h) => [
  F.pipe(f, andThen(g), andThen(h)),
  F.pipe(f, andThen(F.pipe(g, andThen(h)))),
]);
holds("map fuses and keeps identity", (f) => [
  F.pipe(f, map((n) => n + 1), map((n) => n * 2)),
  F.pipe(f, map((n) => (n + 1) * 2)),
], (f) => [F.pipe(f, map((n) => n)), f]);
holds("map is andThen of a pure function", (f) => [
  F.pipe(f, map((n) => n * 3)),
  F.pipe(f, andThen(fromFunction((n: number) => n * 3))),
]);
holds("tap passes the result on", (f, g) => [
  F.pipe(f, tap(g)),
  F.pipe(f, andThen(both(identity<number>(), g)), map(([n]) => n)),
]);
holds("orElse changes no success", (f) => [
  F.pipe(f, orElse((_e, n: number) => RTE.right(n)), orElse(() => RTE.right(-1))),
  F.pipe(f, orElse((_e, n: number) => RTE.right(n))),
]);

Deno.test("after a failure no later stage runs", async () => {
  await fc.assert(
    fc.asyncProperty(inventedStage, inventedStage, input, async (f, g, a) => {
      const alone = await observe(f, a);
      const chained = await observe(F.pipe(f, andThen(g)), a);
      const tapped = await observe(F.pipe(f, tap(g)), a);
      if (E.isLeft(alone.result)) {
        assert.deepEqual(chained, alone);
        assert.deepEqual(tapped, alone);
      } else {
        assert.equal(chained.log.length, 2);
      }
    }),
  );
});

Deno.test("both runs one after the other and keeps both results", async () => {
  const seen: string[] = [];
  const slow = (name: string, ms: number): Stage<unknown, never, number, string> =>
    stage((n) => () => async () => {
      seen.push(`${name} starts`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      seen.push(`${name} ends`);
      return E.right(`${name}${n}`);
    });
  assert.deepEqual(await both(slow("a", 5), slow("b", 0))(7)({})(), E.right(["a7", "b7"]));
  assert.deepEqual(seen, ["a starts", "a ends", "b starts", "b ends"]);
});

Deno.test("orElse sees the failure and the input", async () => {
  const fails: Stage<unknown, string, number, number> = () => RTE.left("no");
  const saved = F.pipe(fails, orElse((error: string, n: number) => RTE.right(`${error} ${n}`)));
  assert.deepEqual(await saved(3)({})(), E.right("no 3"));
});

Deno.test("provide supplies a need and leaves the rest", async () => {
  const sum: Stage<{ readonly x: number; readonly y: number }, never, number, number> = (n) =>
    RTE.asks(({ x, y }) => n + x + y);
  assert.deepEqual(await F.pipe(sum, provide({ x: 10 }))(1)({ y: 100 })(), E.right(111));
});

const uses: Readonly<Record<string, () => Promise<E.Either<string, number>>>> = {
  success: () => Promise.resolve(E.right(1)),
  failure: () => Promise.resolve(E.left("expected")),
  rejection: () => Promise.reject(new Error("bug")),
  "a rejection after an abort": async () => {
    const controller = new AbortController();
    const aborted = new Promise<never>((_, reject) =>
      controller.signal.addEventListener("abort", () => reject(controller.signal.reason))
    );
    setTimeout(() => controller.abort(new Error("stopped")), 1);
    return await aborted;
  },
};
for (const [how, use] of Object.entries(uses)) {
  Deno.test(`bracket releases exactly once after ${how}`, async () => {
    const log: string[] = [];
    const whole = bracket(
      (name: string) => RTE.fromIO(() => (log.push(`acquire ${name}`), name)),
      () => () => () => (log.push("use"), use()),
      async (name: string) => {
        await Promise.resolve();
        log.push(`release ${name}`);
      },
    );
    const result = await whole("it")({})().then(E.right, E.left);
    assert.deepEqual(log, ["acquire it", "use", "release it"]);
    assert.equal(E.isLeft(result), how.includes("rejection"));
  });
}

Deno.test("bracket releases where use throws before it returns a promise", async () => {
  let released = 0;
  const whole = bracket(
    identity<number>(),
    (): RTE.ReaderTaskEither<unknown, never, number> => {
      throw new Error("bug");
    },
    () => void released++,
  );
  await assert.rejects(whole(1)({})(), /bug/);
  assert.equal(released, 1);
});

Deno.test("bracket neither uses nor releases where acquire fails", async () => {
  const whole = bracket(
    (_: number): RTE.ReaderTaskEither<unknown, string, number> => RTE.left("no"),
    () => RTE.fromIO(() => assert.fail("used")),
    () => assert.fail("released"),
  );
  assert.deepEqual(await whole(1)({})(), E.left("no"));
});

Deno.test("bracket nests: released in reverse order, once each, whatever happens inside", async () => {
  await fc.assert(
    fc.asyncProperty(inventedStage, inventedStage, input, fc.boolean(), async (f, g, a, throws) => {
      const held: string[] = [];
      const inBracket = (name: string, inner: Invented): Invented =>
        bracket(
          (n: number) => RTE.fromIO(() => (held.push(`+${name}`), n)),
          inner,
          () => void held.push(`-${name}`),
        );
      const inside = throws
        ? map((): number => {
          throw new Error("bug");
        })(f)
        : f;
      const nested = inBracket("outer", F.pipe(g, andThen(inBracket("inner", inside))));
      const log: string[] = [];
      await nested(a)({ bias: 0, log })().catch(() => {});
      const entered = held.includes("+inner");
      assert.deepEqual(
        held,
        entered ? ["+outer", "+inner", "-inner", "-outer"] : ["+outer", "-outer"],
      );
    }),
  );
});
