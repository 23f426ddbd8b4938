/**
 * `meta-train --dry-run`: what a run would train, take and need, without training it.
 *
 * @module
 */
import { metaStepSeconds } from "../../bench/networks.ts";
import { selectBackend } from "../../backends/select.ts";
import { syntheticHeads } from "../../datasets/synthetic.ts";
import type { StepMemory } from "../../models/step_memory.ts";
import { type Env, makeEnv } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import type { Figures } from "../core/events.ts";
import { E } from "../core/fp.ts";
import { bytesText, estimateFactor, judgeMemory } from "../programs/memory_check.ts";
import { trainable } from "../programs/methods.ts";
import { presetOf, type RunConfig } from "../programs/run_config.ts";
import { clock } from "./terminal.ts";

/** What is known of a run before it starts. */
export interface DryRun {
  /** As it would be used. */
  readonly config: RunConfig;
  /** What it would be computed on. */
  readonly device: string;
  /** Sequences to train on, where they are known without reading the data. */
  readonly sequences?: number;
  /** Trained numbers of each network; of W only where the number of sequences is known. */
  readonly parameters: Figures;
  /** Frames that a step looks at. */
  readonly framesPerStep: number;
  /** Of the paper's own method; estimated from shapes. */
  readonly memory?: StepMemory;
  /** A sentence where the memory may not suffice, or does not. */
  readonly memoryProblem?: string;
  /** Measured on a few steps on noise. */
  readonly stepSeconds?: number;
  /** For all steps of the run: data, looks at people and checkpoints come on top. */
  readonly trainingSeconds?: number;
}

/** Steps of the probe: two to warm up, three that count. */
const effort = { runs: 3, warmUpSeconds: 0, mostSeconds: 30 };

const sequencesOf = ({ data }: RunConfig, size: number): number | undefined =>
  data === "synthetic" ? syntheticHeads({ size, seed: 1 }).train.length : undefined;

/** Everything that can be said with a backend. */
const look = async (config: RunConfig, env: Env): Promise<DryRun> => {
  const preset = presetOf(config), { training, architecture } = preset;
  const sequences = sequencesOf(config, architecture.size);
  const known = {
    config,
    device: env.backend.device,
    ...(sequences === undefined ? {} : { sequences }),
    parameters: trainable[config.method].parameters({
      name: config.preset,
      preset,
      sequences: sequences ?? 0,
    }),
    framesPerStep: training.batch * training.accumulate * (training.shots + 1),
  };
  if (config.method !== "headshot") return known;
  const { memory, problem, doubt } = judgeMemory(config.preset, preset, env.backend);
  if (problem !== undefined) return { ...known, memory, memoryProblem: problem };
  const stepSeconds = training.accumulate * await metaStepSeconds(env, preset, effort);
  return {
    ...known,
    memory,
    ...(doubt === undefined ? {} : { memoryProblem: doubt }),
    stepSeconds,
    trainingSeconds: stepSeconds * training.steps,
  };
};

/** Looks at what a run would be. Errors: those of the backend. */
export const dryRun = async (config: RunConfig): Promise<E.Either<PipelineError, DryRun>> => {
  const backend = await selectBackend(config.backend)();
  if (E.isLeft(backend)) return backend;
  try {
    return E.right(await look(config, makeEnv({ backend: backend.right })));
  } catch (cause) { // the bench throws what went wrong in words
    const message = cause instanceof Error ? cause.message : String(cause);
    return E.left({ _tag: "Backend", op: "a step to time it", message, cause });
  } finally {
    await backend.right.close();
  }
};

const whole = (count: number): string => Math.round(count).toLocaleString("en");

/** A dry run for people. */
export const dryRunText = (
  { config, device, parameters, sequences, framesPerStep, memory, memoryProblem, ...time }: DryRun,
): string => {
  const { steps, shots, batch, accumulate } = config.training;
  const counts = Object.entries(parameters).map(([name, count]) => `${name} ${whole(count)}`);
  const { stepSeconds, trainingSeconds } = time;
  return [
    `Would train ${config.method} at ${config.preset} on ${config.data} for ${
      whole(steps)
    } steps ` +
    `on ${device}, into ${config.run}`,
    `Parameters: ${counts.join(", ")}` +
    (sequences === undefined ? "; a row of W more for each video" : `; ${sequences} videos in W`),
    `A step looks at ${framesPerStep} frames: ${batch} sequence${batch === 1 ? "" : "s"} of ` +
    `${shots} sources and a target${accumulate > 1 ? `, ${accumulate} times` : ""}`,
    ...(memory === undefined ? [] : [
      `Memory of a step: about ${bytesText(memory.total)} (weights ${bytesText(memory.weights)}, ` +
      `activations ${bytesText(memory.activations)}, content networks ` +
      `${bytesText(memory.content)}), within a factor of ${estimateFactor}; largest tensor ` +
      `${bytesText(memory.largest.bytes)} (${memory.largest.where})`,
    ]),
    ...(memoryProblem === undefined ? [] : [memoryProblem]),
    ...(stepSeconds === undefined || trainingSeconds === undefined ? [] : [
      `Time: ${stepSeconds.toFixed(2)} s a step, measured here just now, so ` +
      `${clock(trainingSeconds)} for all; data, looks at people and checkpoints come on top`,
    ]),
  ].join("\n");
};
