/** Fréchet and kernel distance against SciPy and against closed forms. */
import assert from "node:assert/strict";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { frechetDistance, kernelDistance } from "../../../pipeline/metrics/frechet.ts";
import { rows } from "./support.ts";
import golden from "./golden.json" with { type: "json" };

const near = (what: string, found: number, expected: number, tolerance: number): void =>
  assert.ok(
    Math.abs(found - expected) <= tolerance,
    `${what} is ${found}, expected ${expected} within ${tolerance}`,
  );

/** The features of golden.py. */
const sets = (n: number, m: number, d: number) => {
  const mix = rows(`features/${d}/mix`, d, d);
  const x = rows(`features/${d}/x`, n, d).map((row) =>
    Float64Array.from(
      { length: d },
      (_, j) => row.reduce((sum, value, k) => sum + value * (mix[k]?.[j] ?? 0), 0),
    )
  );
  const y = rows(`features/${d}/y`, m, d).map((row) => row.map((value) => value * 0.7 + 0.2));
  return { x, y };
};

const shuffled = <A>(items: readonly A[]): readonly A[] =>
  makeRng(5).draw().distinct(items.length, items.length).flatMap((i) => items[i] ?? []);

for (const { n, m, d, frechet, kernel } of golden.features) {
  Deno.test(`both distances equal SciPy's for ${n} and ${m} features of ${d} numbers`, () => {
    const { x, y } = sets(n, m, d);
    near("Fréchet distance", frechetDistance(x, y), frechet, 1e-6 * Math.min(1, frechet));
    near("kernel distance", kernelDistance(x, y), kernel, 1e-9);
  });
}

Deno.test("both distances are symmetric and do not depend on the order of the vectors", () => {
  for (const [n, m, d] of [[30, 40, 6], [12, 9, 20]] as const) {
    const { x, y } = sets(n, m, d);
    for (const distance of [frechetDistance, kernelDistance]) {
      const value = distance(x, y);
      near("exchanged", distance(y, x), value, 1e-9 * Math.abs(value));
      near("in another order", distance(shuffled(x), shuffled(y)), value, 1e-9 * Math.abs(value));
    }
  }
});

Deno.test("the Fréchet distance of a set to itself is 0, with fewer vectors than numbers too", () => {
  for (const [n, d] of [[50, 8], [8, 8], [7, 30], [2, 5]] as const) {
    const x = rows(`self/${n}/${d}`, n, d);
    near("itself", frechetDistance(x, x), 0, 1e-9);
    const moved = x.map((row) => row.map((value, k) => k === 0 ? value + 3 : value));
    near("moved by 3", frechetDistance(x, moved), 9, 1e-9);
    const twice = x.map((row) => row.map((value) => 2 * value));
    // tr(Σ + 4Σ − 2·2Σ) = tr Σ, and means that differ by the mean.
    const mean = Array.from({ length: d }, (_, k) => x.reduce((s, r) => s + (r[k] ?? 0) / n, 0));
    const trace = x.reduce(
      (s, r) => s + r.reduce((t, v, k) => t + (v - (mean[k] ?? 0)) ** 2, 0) / (n - 1),
      0,
    );
    near("twice", frechetDistance(x, twice), trace + mean.reduce((s, v) => s + v * v, 0), 1e-9);
  }
});

Deno.test("independent axes have a closed form: Σ (σ − τ)² + |μ − ν|²", () => {
  // Vectors ±a along each axis: diagonal covariances, exactly.
  const cross = (spread: readonly number[], at: number) =>
    spread.flatMap((s, i) =>
      [-s, s].map((value) => spread.map((_, k) => at + (k === i ? value : 0)))
    );
  const a = [1, 2, 3], b = [2, 2, 0.5], count = 2 * a.length;
  const deviation = (s: number) => Math.sqrt(2 * s * s / (count - 1));
  const expected = a.reduce((sum, s, i) => sum + (deviation(s) - deviation(b[i] ?? 0)) ** 2, 0);
  near("crosses", frechetDistance(cross(a, 0), cross(b, 1)), expected + 3, 1e-9);
});

Deno.test("the kernel distance of two samples of one distribution is near 0, of others above", () => {
  const sample = (seed: number, shift: number) => {
    const draw = makeRng(seed).draw();
    return Array.from(
      { length: 200 },
      () => Array.from({ length: 10 }, () => draw.normal() + shift),
    );
  };
  assert.ok(Math.abs(kernelDistance(sample(1, 0), sample(2, 0))) < 0.05);
  assert.ok(kernelDistance(sample(1, 0), sample(2, 0.5)) > 0.2);
});

Deno.test("features that cannot be compared are refused with a sentence", () => {
  for (const distance of [frechetDistance, kernelDistance]) {
    assert.throws(() => distance([[1, 2]], [[1, 2], [3, 4]]), /expected at least 2/);
    assert.throws(() => distance([[1], [2]], [[1, 2], [3, 4]]), /has 2 numbers, expected 1/);
    assert.throws(() => distance([[1], [NaN]], [[1], [2]]), /all finite/);
    assert.throws(() => distance([], []), /Cannot compute/);
  }
});
