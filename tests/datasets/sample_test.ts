import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import type { Dataset, Sequence } from "../../datasets/dataset.ts";
import { episodes, sampleFrames, type StepEpisodes } from "../../datasets/sample.ts";
import type { BadSample } from "../../pipeline/core/errors.ts";
import { E, F } from "../../pipeline/core/fp.ts";
import { runCollect, take } from "../../pipeline/core/flow.ts";
import { type Frame, makeImage } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";

/** The frame whose first landmark coordinate is its index. */
const numbered = (index: number): Frame => ({
  image: makeImage(1, 1),
  landmarks: Float32Array.of(index),
});
const index = (frame: Frame): number => frame.landmarks[0] ?? NaN;

const makeDataset = (
  lengths: readonly number[],
  broken: (sequence: Sequence) => boolean = () => false,
): Dataset => ({
  name: "numbers",
  size: 1,
  train: lengths.map((frames, i) => ({ identity: `id${i}`, video: "0", frames })),
  heldOut: [],
  read: (sequence, indices) => () =>
    Promise.resolve(
      broken(sequence)
        ? E.left<BadSample>({
          _tag: "BadSample",
          key: sequence.identity,
          reason: "unreadable",
          message: "no pixels, expected some",
        })
        : E.right(indices.map(numbered)),
    ),
});

const collect = async (
  dataset: Dataset,
  options: { shots: number; batch: number; from?: number },
  steps: number,
  seed = 1,
): Promise<readonly StepEpisodes[]> => {
  const run = F.pipe(episodes(dataset, options), take(steps), runCollect);
  const result = await run({ rng: makeRng(seed), signal: new AbortController().signal })();
  if (E.isLeft(result)) assert.fail(JSON.stringify(result.left));
  return result.right;
};

/** Rows and frame numbers of steps, for comparing. */
const plan = (steps: readonly StepEpisodes[]) =>
  steps.map(({ step, episodes }) => ({
    step,
    drawn: episodes.map(({ row, target, sources }) => [row, index(target), sources.map(index)]),
  }));

Deno.test("sample: K distinct sources, the target never among them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 32 }),
      fc.integer({ min: 0, max: 20 }),
      fc.integer(),
      fc.nat(),
      async (shots, more, seed, step) => {
        const dataset = makeDataset([shots + 1 + more]);
        const [sequence] = dataset.train;
        assert.ok(sequence);
        const drawn = await sampleFrames({ shots })({ dataset, row: 0, sequence, step })({
          rng: makeRng(seed),
        })();
        assert.ok(E.isRight(drawn));
        const all = [drawn.right.target, ...drawn.right.sources].map(index);
        assert.equal(drawn.right.sources.length, shots);
        assert.equal(new Set(all).size, shots + 1);
        assert.ok(all.every((i) => Number.isInteger(i) && i >= 0 && i < sequence.frames));
      },
    ),
    { numRuns: 200, seed: 7 },
  );
});

Deno.test("sample: too few frames is a value that says how many", async () => {
  const dataset = makeDataset([8]);
  const [sequence] = dataset.train;
  assert.ok(sequence);
  const env = { rng: makeRng(1) };
  const drawn = await sampleFrames({ shots: 8 })({ dataset, row: 0, sequence })(env)();
  assert.deepEqual(drawn, {
    _tag: "Left",
    left: {
      _tag: "BadSample",
      key: "id0/0",
      reason: "too short",
      message: "it has 8 frames, expected at least 9",
    },
  });
  const enough = await sampleFrames({ shots: 7 })({ dataset, row: 0, sequence })(env)();
  assert.ok(E.isRight(enough));
  for (const shots of [0, -1, 1.5, NaN]) assert.throws(() => sampleFrames({ shots }), RangeError);
});

Deno.test("sample: every frame is target and source equally often", async () => {
  const frames = 10, shots = 3, steps = 4000;
  const targets = new Array<number>(frames).fill(0), sources = new Array<number>(frames).fill(0);
  for (const { episodes } of await collect(makeDataset([frames]), { shots, batch: 1 }, steps)) {
    for (const episode of episodes) {
      targets[index(episode.target)]! += 1;
      for (const source of episode.sources) sources[index(source)]! += 1;
    }
  }
  const chi = (counts: readonly number[], expected: number) =>
    counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  assert.ok(chi(targets, steps / frames) < 27.9, "9 degrees of freedom, p = 0.001");
  assert.ok(chi(sources, steps * shots / frames) < 27.9);
});

Deno.test("sample: every sequence is visited once an epoch, in another order each epoch", async () => {
  const rows = 12, dataset = makeDataset(new Array<number>(rows).fill(4));
  const steps = await collect(dataset, { shots: 2, batch: 4 }, 30); // ten epochs
  const visited = steps.flatMap(({ episodes }) => episodes.map(({ row }) => row));
  const orders = new Set<string>();
  for (let epoch = 0; epoch < 10; epoch++) {
    const order = visited.slice(epoch * rows, (epoch + 1) * rows);
    assert.deepEqual([...order].sort((a, b) => a - b), Array.from({ length: rows }, (_, i) => i));
    orders.add(order.join());
  }
  assert.ok(orders.size >= 9);
  assert.ok(
    steps.every(({ episodes }) =>
      episodes.every(({ row, sequence }) => sequence === dataset.train[row])
    ),
  );
});

Deno.test("sample: what a step holds depends on seed and step only, so a run can resume", async () => {
  const dataset = makeDataset([5, 6, 7, 8, 9]);
  const options = { shots: 3, batch: 2 };
  const whole = plan(await collect(dataset, options, 20));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 15 }), async (from) => {
      assert.deepEqual(
        plan(await collect(dataset, { ...options, from }, 5)),
        whole.slice(from, from + 5),
      );
    }),
    { numRuns: 10 },
  );
  assert.notDeepEqual(plan(await collect(dataset, options, 20, 2)), whole);
  assert.equal(new Set(whole.map(({ drawn }) => JSON.stringify(drawn))).size, 20);
});

Deno.test("sample: a sequence drawn twice in a step gives other frames", async () => {
  const [step] = plan(await collect(makeDataset([50]), { shots: 4, batch: 2 }, 1));
  assert.notDeepEqual(step?.drawn[0], step?.drawn[1]);
});

Deno.test("sample: a bad sequence is told and replaced, no step is lost", async () => {
  const dataset = makeDataset([5, 5, 2, 5], ({ identity }) => identity === "id1");
  const bad: string[] = [], steps: StepEpisodes[] = [];
  for await (const item of episodes(dataset, { shots: 3, batch: 2 })({ rng: makeRng(3) })) {
    if (E.isRight(item)) steps.push(item.right);
    else bad.push(item.left.reason);
    if (steps.length === 8) break;
  }
  assert.deepEqual(steps.map(({ step }) => step), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(
    steps.every(({ episodes }) =>
      episodes.length === 2 && episodes.every(({ row }) => row === 0 || row === 3)
    ),
  );
  assert.ok(bad.includes("unreadable") && bad.includes("too short") && bad.length >= 8);
});

Deno.test("sample: a dataset without sequences ends with one failure", async () => {
  const items = [];
  for await (const item of episodes(makeDataset([]), { shots: 1, batch: 1 })({ rng: makeRng(1) })) {
    items.push(item);
  }
  assert.equal(items.length, 1);
  assert.ok(items[0] && E.isLeft(items[0]));
});
