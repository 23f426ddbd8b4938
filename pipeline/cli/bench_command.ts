/**
 * `deno task bench`.
 *
 * @module
 */
import { timeConvolutions } from "../../bench/convolutions.ts";
import { contentSeconds } from "../../bench/content.ts";
import { type Curve, measureCurve } from "../../bench/curves.ts";
import { driveSeconds } from "../../bench/drive.ts";
import { fineTuneSeconds } from "../../bench/few_shot.ts";
import { profileStep } from "../../bench/kernels.ts";
import { comparable, inferenceSeconds, metaStepSeconds } from "../../bench/networks.ts";
import { ratiosTo, type Report, reportText } from "../../bench/report.ts";
import { selectBackend } from "../../backends/select.ts";
import { presets } from "../../models/presets.ts";
import { type Env, makeEnv } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import { peakBytes, processor, processorTime } from "../core/machine.ts";
import { replaceFile } from "../programs/checkpoint/durable.ts";
import type { CostCurve } from "../programs/plot/draw.ts";
import { benchOptions, type BenchPart, type BenchSettings, decodeBench } from "./bench_options.ts";
import type { Command } from "./command.ts";
import { say } from "./terminal.ts";

const failure = (message: string, cause?: unknown): E.Either<PipelineError, never> =>
  E.left({ _tag: "Backend", op: "the bench", message, cause });

/** Seconds that one point of a curve may take after its warm-up. */
const mostPointSeconds = 20;

const measureCurves = async (
  env: Env,
  { preset, shots, batch, curves, effort }: BenchSettings,
): Promise<readonly Curve[]> => {
  const measured: Curve[] = [], brief = { ...effort, mostSeconds: mostPointSeconds };
  for (const curve of curves) {
    measured.push(await measureCurve(env, { preset, shots, batch }, curve, brief));
  }
  return measured;
};

const measure = async (env: Env, settings: BenchSettings): Promise<Report> => {
  const { backend } = env, { preset: name, parts, effort, shots, batch } = settings;
  const preset = comparable(presets[name], { shots, batch });
  const wanted = (part: BenchPart): boolean => parts.includes(part);
  const inference = wanted("frame") || wanted("embed")
    ? await inferenceSeconds(env, preset, effort)
    : undefined;
  const content = wanted("content") ? await contentSeconds(env, presets[name], effort) : undefined;
  const convolutions = wanted("convolutions")
    ? await timeConvolutions(env, preset.architecture, shots * batch, effort)
    : undefined;
  const metaStep = wanted("meta-step") ? await metaStepSeconds(env, preset, effort) : undefined;
  const profile = wanted("kernels") ? await profileStep(env, preset, effort.runs) : undefined;
  const fineTune = wanted("fine-tune") ? await fineTuneSeconds(env, name, effort) : undefined;
  const driven = wanted("drive")
    ? await driveSeconds(env, name, settings.drive, effort)
    : undefined;
  const curves = await measureCurves(env, settings);
  return {
    preset: name,
    backend: backend.name,
    clock: settings.clock,
    device: backend.name === "webgpu" ? backend.device : `${backend.device} (${processor()})`,
    shots,
    batch,
    discriminatorSteps: preset.training.discriminatorSteps,
    ...(metaStep === undefined ? {} : { metaStepSeconds: metaStep }),
    ...(inference && wanted("frame") ? { frameSeconds: inference.frameSeconds } : {}),
    ...(inference && wanted("embed") ? { embedSeconds: inference.embedSeconds } : {}),
    ...(content === undefined
      ? {}
      : { contentSeconds: content.all, contentNetworks: content.networks }),
    ...(fineTune === undefined ? {} : { fineTuneSeconds: fineTune }),
    ...(driven === undefined
      ? {}
      : { driveSeconds: driven, driveFramesPerSecond: 1 / driven.whole }),
    ...(convolutions === undefined ? {} : { convolutions }),
    ...(profile === undefined ? {} : { profile }),
    ...(curves.length === 0 ? {} : { curves }),
    peakBytes: await peakBytes(),
  };
};

const axisLabels = {
  preset: "side of a frame, pixels",
  shots: "K, source frames of a step",
  batch: "sequences of a step",
  videos: "videos in W",
} as const;

/** The curves as diagrams. */
const costsOf = ({ curves = [], clock }: Report): readonly CostCurve[] =>
  curves.map(({ axis, points }) => ({
    title: `A step of meta-learning, seconds${clock === "processor" ? " of processor time" : ""}`,
    axis: axisLabels[axis],
    logarithmic: axis === "preset" || axis === "videos",
    points: points.map(({ at, metaStepSeconds }) => ({ at, cost: metaStepSeconds })),
  }));

const draw = async (
  report: Report,
  path: string | undefined,
): Promise<E.Either<PipelineError, unknown>> => {
  if (path === undefined) return E.right(undefined);
  const { drawCosts } = await import("../programs/plot/draw.ts"); // only here: it is large
  const at = path.lastIndexOf("/"), folder = at < 0 ? "." : path.slice(0, at) || "/";
  const picture = drawCosts(costsOf(report), `${report.preset} on ${report.device}`);
  return await replaceFile(folder, path.slice(at + 1), picture)();
};

/** The command. */
export const benchCommand: Command = {
  name: "bench",
  about: "Measures training, fine-tuning, driving: medians in seconds, cost curves.",
  options: benchOptions,
  example: "deno task bench --preset toy-64 --backend wasm --only meta-step,frame,embed --json",
  run: async (parsed) => {
    const settings = await decodeBench(parsed);
    if (E.isLeft(settings)) return settings;
    const { backend: choice, threads, clock, baseline, failAbove, svg } = settings.right;
    const backend = await selectBackend(choice, threads === undefined ? {} : { threads })();
    if (E.isLeft(backend)) return backend;
    try {
      const now = clock === "processor" ? processorTime : () => performance.now();
      const measured = await measure(makeEnv({ backend: backend.right, now }), settings.right);
      const report = baseline === undefined
        ? measured
        : { ...measured, ratios: ratiosTo(measured, baseline) };
      const drawn = await draw(report, svg);
      if (E.isLeft(drawn)) return drawn;
      const slow = Object.entries(report.ratios ?? {})
        .filter(([, ratio]) => failAbove !== undefined && ratio > failAbove);
      if (slow.length === 0) return E.right({ json: report, text: reportText(report) });
      say(reportText(report));
      return failure(
        slow.map(([name, ratio]) =>
          `${name} took ${ratio.toFixed(2)} times the baseline, expected at most ${failAbove}`
        ).join("; "),
      );
    } catch (cause) {
      return failure(cause instanceof Error ? cause.message : String(cause), cause);
    } finally {
      await backend.right.close();
    }
  },
};
