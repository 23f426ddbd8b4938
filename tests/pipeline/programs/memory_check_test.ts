/** What cannot fit is refused before the first step, with the setting that would fit. */
import assert from "node:assert/strict";
import { createWasmBackend } from "../../../backends/wasm.ts";
import { presets, type Training } from "../../../models/presets.ts";
import { makeEnv } from "../../../pipeline/core/env.ts";
import { exitCode } from "../../../pipeline/core/errors.ts";
import type { TrainEvent } from "../../../pipeline/core/events.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { judgeMemory } from "../../../pipeline/programs/memory_check.ts";
import { metaTrain } from "../../../pipeline/programs/meta_train.ts";
import { decodeRunConfig } from "../../../pipeline/programs/run_config.ts";
import { inFolder, namesIn } from "../../e2e/support.ts";
import { expectRight } from "../../models/support.ts";

const wasm = { name: "wasm", maxBytes: 2 ** 32, maxTensorBytes: 2 ** 31 - 1 } as const;
const gpu = { name: "webgpu", maxTensorBytes: 128 * 2 ** 20 } as const;

const paper = (training: Partial<Training>) => ({
  architecture: presets["paper-256"].architecture,
  training: { ...presets["paper-256"].training, ...training },
});

Deno.test("the presets fit into the heap of wasm, and the paper's on a GPU of any kind", () => {
  for (const [name, preset] of Object.entries(presets)) {
    const verdict = judgeMemory(name as keyof typeof presets, preset, wasm);
    assert.deepEqual([verdict.problem, verdict.doubt], [undefined, undefined], name);
  }
  assert.equal(judgeMemory("paper-256", presets["paper-256"], gpu).problem, undefined);
});

Deno.test("a batch too large for the heap: its parts where they fit, else a smaller one", () => {
  const small = presets["small-128"], limits = { ...wasm, maxBytes: 1.5 * 2 ** 30 };
  const eight = { ...small, training: { ...small.training, batch: 8 } };
  const { problem = "" } = judgeMemory("small-128", eight, limits);
  assert.match(problem, /^Cannot train on wasm: a step of small-128 with 4 source frames of 8 seq/);
  assert.match(
    problem,
    /takes about 1\.\d GiB, expected at most 1\.5 GiB; --batch 4 --accumulate 2 fits$/,
  );
  const two = judgeMemory("paper-256", paper({ batch: 2 }), wasm);
  assert.match(two.problem ?? "", /8 source frames of 2 .*about 5\.\d GiB.*; --batch 1 fits$/);
});

Deno.test("shots too many for one sequence: the most that fit are named", () => {
  const { problem = "" } = judgeMemory("paper-256", paper({ shots: 64 }), wasm);
  const [, shots] = /4\.0 GiB; --shots (\d+) fits$/.exec(problem) ?? [];
  assert.ok(shots, problem);
  const fitting = judgeMemory("paper-256", paper({ shots: Number(shots) }), wasm);
  assert.deepEqual([fitting.problem, fitting.doubt], [undefined, undefined]);
  assert.ok(judgeMemory("paper-256", paper({ shots: Number(shots) + 1 }), wasm).doubt);
});

Deno.test("a tensor that the GPU cannot bind is named with what it has", () => {
  const { problem = "" } = judgeMemory("paper-256", paper({ shots: 16 }), gpu);
  assert.match(problem, /^Cannot train on webgpu: E\/block0\/conv1 of a step of paper-256 with 16/);
  assert.match(problem, /has 256 MiB, expected at most 128 MiB.*--shots 8 fits$/);
});

Deno.test("meta-training with a heap too small ends before anything is made, in one sentence", () =>
  inFolder(async (folder) => {
    const backend = await expectRight(
      createWasmBackend({ threads: 1, maxHeapBytes: 64 * 2 ** 20 }),
    );
    try {
      const events: TrainEvent[] = [];
      const env = makeEnv({ backend, emit: (event) => events.push(event) });
      const config = decodeRunConfig({ preset: "toy-64", run: `${folder}/run` });
      assert.ok(E.isRight(config));
      const before = backend.tensors();
      const ended = await metaTrain(config.right)(env)();
      assert.ok(E.isLeft(ended) && ended.left._tag === "Config");
      assert.equal(exitCode(ended.left), 2);
      const [problem = "", ...more] = ended.left.problems;
      assert.equal(more.length, 0);
      assert.match(
        problem,
        /^Cannot train on wasm: .*expected at most 64 MiB; --preset test-16 fits$/,
      );
      assert.deepEqual(events, []);
      assert.equal(backend.tensors(), before);
      assert.deepEqual(await namesIn(folder), []);
    } finally {
      await backend.close();
    }
  }));

Deno.test("a step that may not fit is warned of, and trained", () => {
  const verdict = judgeMemory("paper-256", paper({ shots: 11 }), wasm);
  assert.equal(verdict.problem, undefined);
  assert.match(
    verdict.doubt ?? "",
    /expected at most 4\.0 GiB, and may not fit; --shots 9 fits$/,
  );
});
