/**
 * Times of few-shot learning, in the shape of the paper's table 2: a frame with the networks as
 * they were trained and as a person is driven (on webgpu with kernels in f16 too), an embedding of
 * T frames, an update of fine-tuning. Untrained networks: time does not depend on what they know.
 *
 * `deno run -A bench/few_shot_bench.ts --preset toy-64 --backend wasm [--frames 8] [--threads 1] [--json]`
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type BackendChoice, selectBackend } from "../backends/select.ts";
import { type Tensor, tf } from "../backends/tf.ts";
import { generate } from "../models/generator.ts";
import { fineTunings, fineTuningSteps } from "../models/fine_tuning.ts";
import { effectiveWeights } from "../models/parameters.ts";
import { type PresetName, presetNames } from "../models/presets.ts";
import { type Env, makeEnv } from "../pipeline/core/env.ts";
import { openPerson, openPersonIn, renderMaps } from "../pipeline/programs/render.ts";
import { modelFrom, uploadModel } from "../pipeline/programs/trained_model.ts";
import { imagesToTensor, mapFrame, tensorToImages } from "../pipeline/programs/device_batch.ts";
import { median, seconds, timeOf } from "../pipeline/core/timing.ts";
import { updateSeconds } from "./few_shot.ts";
import { framesOf, need, personOf, untrained } from "./untrained.ts";

const measure = async (env: Env, preset: PresetName, count: number) => {
  const { backend } = env, trained = await untrained(env, preset);
  const { architecture, gain } = modelFrom(trained.config);
  const frames = await framesOf(trained, count), person = await personOf(env, trained, frames);
  const embedSeconds = await timeOf(
    () => seconds(() => personOf(env, trained, frames)),
    { runs: 5, warmUpSeconds: 0, mostSeconds: 10 },
  );

  const [{ map }] = frames.slice(0, 1).map(mapFrame) as [ReturnType<typeof mapFrame>];
  using driven = await need(openPerson(person)(env));
  const device = await need(backend.run("networks", () => ({
    network: uploadModel(trained).generator,
    embedding: tf.tensor2d(person.embedding, [1, person.embedding.length]),
  })));
  const folded = (): Promise<unknown> => need(renderMaps(driven)([map])(env));
  using halves = backend.name === "webgpu"
    ? await need(openPersonIn("f16")(person)(env))
    : undefined;
  const inHalves = (): Promise<unknown> =>
    halves === undefined ? Promise.resolve() : need(renderMaps(halves)([map])(env));
  const unfolded = async (): Promise<void> => {
    const made: Tensor = await need(backend.run("a frame", () => {
      const weights = effectiveWeights(device.network);
      return generate(weights, architecture, imagesToTensor([map]), device.embedding, gain);
    }));
    tensorToImages(await need(backend.read("it", () => made.data<"float32">())), architecture.size);
    backend.dispose(made);
  };
  // In turn, so that what else the machine does meets both alike.
  const times: (readonly [number, number, number])[] = [];
  const end = performance.now() + 30_000;
  for (let i = 0; i < 60 && (i < 6 || performance.now() < end); i++) {
    const round = [
      await seconds(unfolded),
      await seconds(folded),
      await seconds(inHalves),
    ] as const;
    if (i >= 3) times.push(round);
  }
  backend.dispose(device);
  const unfoldedSeconds = median(times.map(([first]) => first));
  const frameSeconds = median(times.map(([, second]) => second));

  const updates = await updateSeconds(env, trained, person, frames, 3);
  const steps = fineTuningSteps(fineTunings[preset], count);
  return {
    preset,
    device: backend.device,
    frames: count,
    unfoldedSeconds,
    frameSeconds,
    ...(halves && { halfFrameSeconds: median(times.map(([, , third]) => third)) }),
    speedUp: median(times.map(([first, second]) => first / second)),
    embedSeconds,
    updateSeconds: updates,
    updates: steps,
    fineTuneSeconds: steps * updates,
    residentBytes: Deno.memoryUsage().rss,
  };
};

const { preset = "toy-64", backend: name = "auto", frames = "8", threads, json } = parseArgs(
  Deno.args,
  {
    string: ["preset", "backend", "frames", "threads"],
    boolean: ["json"],
  },
);
const known = presetNames.find((each) => each === preset);
if (!known) throw new Error(`Cannot bench ${preset}: expected one of ${presetNames.join(", ")}`);
const backend = await need(selectBackend(
  name as BackendChoice,
  threads ? { threads: Number(threads) } : {},
));
const report = await measure(makeEnv({ backend }), known, Number(frames));
await backend.close();
const ms = (value: number): string => `${(1000 * value).toFixed(1)} ms`;
const lines = json ? [JSON.stringify(report)] : [
  `${report.preset} on ${report.device}, T = ${report.frames}`,
  `a frame, networks as trained   ${ms(report.unfoldedSeconds)}`,
  `a frame, driving               ${ms(report.frameSeconds)} (${report.speedUp.toFixed(2)} times)`,
  ...(report.halfFrameSeconds === undefined
    ? []
    : [`the same, kernels in f16       ${ms(report.halfFrameSeconds)}`]),
  `an embedded person             ${ms(report.embedSeconds)}`,
  `an update of fine-tuning       ${ms(report.updateSeconds)}, content: pixels`,
  `a fine-tuned person            ${report.fineTuneSeconds.toFixed(1)} s, ` +
  `${report.updates} updates`,
  `memory                         ${(report.residentBytes / 2 ** 20).toFixed(0)} MiB`,
];
Deno.stdout.writeSync(new TextEncoder().encode(`${lines.join("\n")}\n`));
