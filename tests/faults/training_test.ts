/** Faults inside of training: samples that are all bad, a stage that leaks, a GPU that goes away. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { tf, type WebGPUBackend } from "../../backends/tf.ts";
import { createWebgpuBackend } from "../../backends/webgpu.ts";
import { writeImage } from "../../datasets/codec.ts";
import { videoFolder } from "../../datasets/folder.ts";
import { episodes } from "../../datasets/sample.ts";
import { type Backend, makeEnv } from "../../pipeline/core/env.ts";
import { exitCode, renderError } from "../../pipeline/core/errors.ts";
import type { TrainEvent } from "../../pipeline/core/events.ts";
import { runCollect, skipBadSamples, take } from "../../pipeline/core/flow.ts";
import { E, F } from "../../pipeline/core/fp.ts";
import { latestCheckpoint } from "../../pipeline/programs/checkpoint/load.ts";
import { metaTrain, type MetaTrainOptions } from "../../pipeline/programs/meta_train.ts";
import { decodeRunConfig } from "../../pipeline/programs/run_config.ts";
import { webgpuTest } from "../backends/webgpu_adapter.ts";
import { personFrames, right } from "../datasets/video_fixtures.ts";
import { inFolder, namesIn, runCli } from "../e2e/support.ts";
import { expectRight, onBackend } from "../models/support.ts";
import { leakingMethod } from "./leaking.ts";
import { least } from "./support.ts";

const trainOn = async (
  backend: Backend,
  { run, steps, emit, ...options }: MetaTrainOptions & {
    readonly run: string;
    readonly steps: number;
    readonly emit: (event: TrainEvent) => void;
  },
) => {
  const config = decodeRunConfig({
    ...{ preset: "test-16", backend: "wasm", run, tickEvery: 1, checkpointEvery: 2 },
    ...{ gridEvery: 1000, watchEvery: 1000, judge: { people: 2, shots: 1, targets: 1 } },
    training: { steps, batch: 1, shots: 1 },
  });
  if (E.isLeft(config)) assert.fail(config.left.problems.join("\n"));
  return await metaTrain(config.right, options)(makeEnv({ backend, emit }))();
};

Deno.test("every sample of a dataset becomes unreadable: the stream ends with what and how many", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/photos/ada/v1`, { recursive: true });
    for (const [i, image] of (await personFrames(0, 9)).entries()) {
      const name = `${String(i).padStart(7, "0")}.jpg`;
      await right(writeImage(`${folder}/photos/ada/v1/${name}`, image));
    }
    const cache = `${folder}/cache`, events: TrainEvent[] = [];
    const env = makeEnv({
      backend: undefined as unknown as Backend, // reading needs none
      emit: (event) => void events.push(event),
    });
    const options = { path: `${folder}/photos`, size: 64, cache, workers: 1 };
    const dataset = await right(videoFolder(options)(env));
    const flow = F.pipe(
      episodes(dataset, { shots: 2, batch: 1, from: 0 }),
      skipBadSamples(20, dataset.name),
      take(3),
      runCollect,
    );
    assert.ok(E.isRight(await flow(env)()), "it could be read before");
    for (const name of await namesIn(cache)) await Deno.truncate(`${cache}/${name}`, 40);
    const ended = await flow(env)();
    assert.ok(E.isLeft(ended) && ended.left._tag === "Data", JSON.stringify(ended));
    assert.match(ended.left.message, /20|21/);
    assert.match(ended.left.message, /unreadable/);
    assert.equal(exitCode(ended.left), 1);
    assert.ok(events.filter(({ _tag }) => _tag === "SampleSkipped").length >= 20);
  }));

Deno.test("a folder of nothing but broken videos: exit code 1, the reasons counted", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/videos/ada/v1`, { recursive: true });
    for (const name of ["a.mp4", "b.mp4", "c.mkv"]) {
      await Deno.writeFile(`${folder}/videos/ada/v1/${name}`, new Uint8Array());
    }
    const ended = await runCli(["meta-train", ...least, "--data", "videos"], folder);
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /none of its 3 clips .*\(unreadable 3\)|ffmpeg/);
    assert.ok(!(await namesIn(folder)).includes("runs"));
  }));

Deno.test("a loss that is never finite: no update, three returns, then a diagnosis with exit code 1", () =>
  inFolder(async (folder) => {
    const content = [{ network: "pixels", taps: [], weight: 3e38 }];
    const quiet = { watchEvery: 1000, gridEvery: 1000, checkpointEvery: 2 };
    const judge = { people: 2, shots: 1, targets: 1 };
    const training = { steps: 60, batch: 1, shots: 1, content };
    const settings = { preset: "test-16", backend: "wasm", ...quiet, judge, training };
    await Deno.writeTextFile(`${folder}/wild.jsonc`, JSON.stringify(settings));
    const ended = await runCli(["meta-train", "--config", "wild.jsonc", "--run", "run"], folder);
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /Skipped an update: the generator's loss or gradient is not finite/);
    assert.match(ended.stderr, /Cannot go on at step \d+: .* after 3 returns to a checkpoint/);
    assert.equal(JSON.parse(await Deno.readTextFile(`${folder}/run/rollbacks.json`)).length, 3);
    const latest = await latestCheckpoint(`${folder}/run`)({ emit: () => assert.fail() })();
    assert.ok(E.isRight(latest) && latest.right !== undefined, "a whole checkpoint is there");
  }));

Deno.test("a stage that leaks a tensor at every step is named while training goes on", () =>
  inFolder((folder) =>
    onBackend("wasm", async (backend) => {
      const leaks: number[] = [], stages = new Set<string | undefined>();
      const emit = (event: TrainEvent): void => {
        if (event._tag !== "LeakSuspected") return;
        leaks.push(event.tensors);
        stages.add(event.stage);
      };
      const made = await trainOn(backend, {
        run: `${folder}/run`,
        steps: 6,
        emit,
        method: leakingMethod({ tensors: 1 }),
      });
      assert.ok(E.isRight(made), JSON.stringify(made));
      assert.ok(leaks.length >= 2 && leaks[0] === 1, leaks.join());
      assert.deepEqual(leaks, leaks.toSorted((a, b) => a - b), "it grows");
      assert.deepEqual([...stages], ["training step"]);
    })
  ));

const onLinux = Deno.build.os === "linux";
Deno.test({
  name: `no GPU where one is asked for: a sentence that names the choices, no other backend${
    onLinux ? "" : " (needs Linux)"
  }`,
  ignore: !onLinux,
  fn: () =>
    inFolder(async (folder) => {
      const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", cli, "meta-train", ...least, "--backend", "webgpu", "--run", "run"],
        cwd: folder,
        env: { DENO_WEBGPU_BACKEND: "dx12" }, // of Windows: here it has no adapter
      }).output();
      const said = new TextDecoder().decode(stderr);
      assert.equal(code, 1, said);
      assert.match(said, /^Cannot compute on webgpu: there is no .* expected .*wasm.*\n$/);
      assert.deepEqual(await namesIn(folder), []);
    }),
});

webgpuTest(
  "a GPU lost during training: DeviceLost, exit code 75, the checkpoint before it whole",
  () =>
    inFolder(async (folder) => {
      const backend = await expectRight(createWebgpuBackend({ allowSoftware: true }));
      const emit = (event: TrainEvent): void => {
        if (event._tag !== "StepDone" || event.step !== 3) return;
        (tf.backend() as unknown as WebGPUBackend).device.destroy();
      };
      const ended = await trainOn(backend, { run: `${folder}/run`, steps: 100, emit });
      assert.ok(E.isLeft(ended) && ended.left._tag === "DeviceLost", JSON.stringify(ended));
      assert.equal(exitCode(ended.left), 75);
      assert.match(renderError(ended.left), /resume with --resume/);
      const latest = await latestCheckpoint(`${folder}/run`)({ emit: () => assert.fail() })();
      assert.equal(E.isRight(latest) && latest.right?.meta.step, 2);
      await backend.close();
    }),
);
