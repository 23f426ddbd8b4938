import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { makeRng, type Rng } from "../../../pipeline/core/rng.ts";

const first = (rng: Rng, n = 8) => {
  const draw = rng.draw();
  return Array.from({ length: n }, () => draw.uniform());
};

/** Pearson's statistic of counts against equal shares. */
const chiSquare = (counts: readonly number[]): number => {
  const total = counts.reduce((a, b) => a + b, 0), share = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - share) ** 2 / share, 0);
};

// By Wilson and Hilferty; 5 standard deviations: a wrong alarm once in some millions of runs, and
// the seeds are fixed, so that these tests always say the same.
const limit = (cells: number): number => {
  const degrees = cells - 1, k = 2 / (9 * degrees);
  return degrees * (1 - k + 5 * Math.sqrt(k)) ** 3;
};

const label = fc.oneof(fc.string({ maxLength: 8 }), fc.nat(1_000_000));
const seed = fc.nat(2 ** 31 - 1);

Deno.test("a stream is a function of its seed and its labels", () => {
  fc.assert(fc.property(seed, fc.array(label, { maxLength: 4 }), (s, labels) => {
    const at = () => labels.reduce((rng: Rng, l) => rng.fold(l), makeRng(s));
    assert.deepEqual(first(at()), first(at()));
    const rng = at();
    first(rng, 100); // drawing from a stream moves nobody
    rng.fold("other").draw().uniform();
    assert.deepEqual(first(rng), first(at()));
  }));
});

Deno.test("different seeds, labels and orders of labels give different streams", () => {
  fc.assert(fc.property(seed, label, label, (s, a, b) => {
    fc.pre(a !== b && String(a) !== String(b));
    const root = makeRng(s);
    const streams = [
      root,
      root.fold(a),
      root.fold(b),
      root.fold(a).fold(b),
      root.fold(b).fold(a),
      makeRng(s + 1).fold(a),
    ];
    assert.equal(new Set(streams.map((rng) => first(rng).join())).size, streams.length);
  }));
});

Deno.test("no two of 100,000 neighbouring streams start alike", () => {
  const root = makeRng(7).fold("step");
  const starts = new Set<string>();
  for (let step = 0; step < 100_000; step++) starts.add(first(root.fold(step), 2).join());
  assert.equal(starts.size, 100_000);
});

Deno.test("uniform draws fill 64 cells evenly: along a stream, across steps, across seeds", () => {
  const n = 64_000, cells = 64;
  const sources: Readonly<Record<string, () => (i: number) => number>> = {
    "along a stream": () => {
      const draw = makeRng(1).draw();
      return () => draw.uniform();
    },
    "the first draw of each step": () => (i) => makeRng(1).fold("frames").fold(i).draw().uniform(),
    "the first draw of each seed": () => (i) => makeRng(i).draw().uniform(),
    "integers": () => {
      const draw = makeRng(3).draw();
      return () => draw.integer(cells) / cells;
    },
  };
  for (const [name, make] of Object.entries(sources)) {
    const at = make(), counts = new Array<number>(cells).fill(0);
    for (let i = 0; i < n; i++) {
      const cell = Math.floor(at(i) * cells);
      counts[cell] = (counts[cell] ?? NaN) + 1;
    }
    assert.ok(chiSquare(counts) < limit(cells), `${name}: ${chiSquare(counts)}`);
  }
});

Deno.test("neighbouring draws, steps and labels are independent: pairs fill 256 cells evenly", () => {
  const root = makeRng(11);
  const stream = root.draw();
  let last = stream.uniform();
  const pairs: Readonly<Record<string, (i: number) => readonly [number, number]>> = {
    "one draw and the next": () => {
      const before = last;
      last = stream.uniform();
      return [before, last];
    },
    "one step and the next": (i) => [
      root.fold(i).draw().uniform(),
      root.fold(i + 1).draw().uniform(),
    ],
    "two labels in one step": (i) => [
      root.fold(i).fold("frames").draw().uniform(),
      root.fold(i).fold("target").draw().uniform(),
    ],
    "a stream and its child": (i) => [
      root.fold(i).draw().uniform(),
      root.fold(i).fold(0).draw().uniform(),
    ],
  };
  for (const [name, pair] of Object.entries(pairs)) {
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 50_000; i++) {
      const [x, y] = pair(i);
      const cell = Math.floor(x * 16) * 16 + Math.floor(y * 16);
      counts[cell] = (counts[cell] ?? NaN) + 1;
    }
    assert.ok(chiSquare(counts) < limit(256), `${name}: ${chiSquare(counts)}`);
  }
});

Deno.test("draws stay in their range", () => {
  fc.assert(fc.property(seed, fc.integer({ min: 1, max: 1000 }), (s, bound) => {
    const draw = makeRng(s).draw();
    for (let i = 0; i < 20; i++) {
      const u = draw.uniform(-2, 3), n = draw.integer(bound);
      assert.ok(u >= -2 && u < 3);
      assert.ok(Number.isInteger(n) && n >= 0 && n < bound);
    }
  }));
});

Deno.test("normal draws have mean 0, variance 1, skewness 0, kurtosis 3", () => {
  const draw = makeRng(5).draw(), n = 100_000;
  const moments = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = draw.normal();
    for (const p of [0, 1, 2, 3]) moments[p] = (moments[p] ?? NaN) + x ** (p + 1) / n;
  }
  const [mean = NaN, square = NaN, cube = NaN, fourth = NaN] = moments;
  assert.ok(Math.abs(mean) < 0.02, `mean ${mean}`);
  assert.ok(Math.abs(square - 1) < 0.03, `variance ${square}`);
  assert.ok(Math.abs(cube) < 0.06, `skewness ${cube}`);
  assert.ok(Math.abs(fourth - 3) < 0.2, `kurtosis ${fourth}`);
});

Deno.test("distinct draws are distinct, in range, and all of them where all are asked for", () => {
  fc.assert(fc.property(seed, fc.nat(60), fc.nat(60), (s, a, b) => {
    const count = Math.min(a, b), bound = Math.max(a, b);
    const chosen = makeRng(s).draw().distinct(count, bound);
    assert.equal(chosen.length, count);
    assert.equal(new Set(chosen).size, count);
    assert.ok(chosen.every((i) => Number.isInteger(i) && i >= 0 && i < bound));
  }));
  assert.throws(() => makeRng(1).draw().distinct(4, 3), /Cannot draw 4 distinct integers below 3/);
});

Deno.test("distinct draws are uniform: every ordered pair of 6 is as likely, every order of 4", () => {
  const count = (bound: number, size: number) => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 30_000; i++) {
      const key = makeRng(9).fold(i).draw().distinct(size, bound).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts.values()];
  };
  for (const [bound, size, outcomes] of [[6, 2, 30], [4, 4, 24]] as const) {
    const counts = count(bound, size);
    assert.equal(counts.length, outcomes);
    assert.ok(chiSquare(counts) < limit(outcomes), `${chiSquare(counts)}`);
  }
});

Deno.test("pick picks evenly and refuses an empty list", () => {
  const draw = makeRng(2).draw();
  const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
  for (let i = 0; i < 30_000; i++) {
    const it = draw.pick(["a", "b", "c"]);
    counts[it] = (counts[it] ?? NaN) + 1;
  }
  assert.ok(chiSquare(Object.values(counts)) < limit(3));
  assert.throws(() => draw.pick([]), /the list of choices is empty/);
});
