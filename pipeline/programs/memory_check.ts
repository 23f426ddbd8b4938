/**
 * Whether a step of meta-learning fits the device, before anything is made on it: the heap of wasm
 * ends at 4 GiB, a GPU binds tensors up to a limit of its own.
 *
 * @module
 */
import { type StepMemory, stepMemory } from "../../models/step_memory.ts";
import {
  type Preset,
  type PresetName,
  presetNames,
  presets,
  type Training,
} from "../../models/presets.ts";
import type { Backend, HasBackend, HasEvents } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, type ReaderTaskEither } from "../core/fp.ts";

/** A peak that is measured is at most so many times its estimate, and at least the inverse. */
export const estimateFactor = 1.25;

/** What should be left: large steps are estimated better than small ones, which fit anyway. */
const margin = 1.1;

/** Bytes for people: "3.4 GiB", "12 MiB". */
export const bytesText = (bytes: number): string =>
  bytes >= 2 ** 30
    ? `${(bytes / 2 ** 30).toFixed(1)} GiB`
    : `${Math.max(1, Math.round(bytes / 2 ** 20))} MiB`;

type Limits = Pick<Backend, "maxBytes" | "maxTensorBytes">;

const fits = (
  { total, largest }: StepMemory,
  { maxBytes, maxTensorBytes }: Limits,
): boolean => total * margin <= (maxBytes ?? Infinity) && largest.bytes <= maxTensorBytes;

/** Settings of a run as options of `meta-train`. */
type Change = Partial<Pick<Training, "batch" | "accumulate" | "shots">>;

const asOptions = (change: Change): string =>
  Object.entries(change).map(([name, value]) => `--${name} ${value}`).join(" ");

/**
 * The same training with less at once, and what to ask for, from the mildest change on: the batch
 * in parts, a smaller batch, fewer source frames, a smaller preset.
 */
const smaller = ({ architecture, training }: Preset): readonly (readonly [string, Preset])[] => {
  const { batch, accumulate, shots } = training;
  const below = (n: number): readonly number[] =>
    Array.from({ length: n - 1 }, (_, i) => n - 1 - i);
  const changes: readonly Change[] = [
    ...below(batch).filter((part) => batch % part === 0)
      .map((part) => ({ batch: part, accumulate: accumulate * batch / part })),
    ...below(batch).map((part) => ({ batch: part })),
    ...below(shots).map((fewer) => ({ ...(batch > 1 ? { batch: 1 } : {}), shots: fewer })),
  ];
  return [
    ...changes.map((change): [string, Preset] => [
      asOptions(change),
      { architecture, training: { ...training, ...change } },
    ]),
    ...presetNames.filter((name) => presets[name].architecture.size < architecture.size)
      .map((name): [string, Preset] => [`--preset ${name}`, presets[name]]),
  ];
};

/** The mildest change of settings with which the step fits, in words. */
const whatFits = (preset: Preset, limits: Limits): string => {
  const found = smaller(preset).find(([, other]) => fits(stepMemory(other), limits));
  return found ? `${found[0]} fits` : "nothing smaller fits";
};

/** What is known beforehand about the memory of a step on a device. */
export interface MemoryVerdict {
  /** What the step takes. */
  readonly memory: StepMemory;
  /** A sentence where it cannot fit. */
  readonly problem?: string;
  /** A sentence where it may not fit. */
  readonly doubt?: string;
}

/** Judges a step of meta-learning by the limits of a device. */
export const judgeMemory = (
  name: PresetName,
  preset: Preset,
  limits: Limits & Pick<Backend, "name">,
): MemoryVerdict => {
  const memory = stepMemory(preset), { total, largest } = memory;
  const { maxBytes = Infinity, maxTensorBytes } = limits;
  const { shots, batch } = preset.training;
  const step = `a step of ${name} with ${shots} source frames of ${batch} sequence${
    batch === 1 ? "" : "s"
  }`;
  if (largest.bytes > maxTensorBytes) {
    return {
      memory,
      problem: `Cannot train on ${limits.name}: ${largest.where} of ${step} has ` +
        `${bytesText(largest.bytes)}, expected at most ${bytesText(maxTensorBytes)}, the largest ` +
        `tensor there; ${whatFits(preset, limits)}`,
    };
  }
  const takes = `${step} takes about ${bytesText(total)}, expected at most ${bytesText(maxBytes)}`;
  if (total > maxBytes * estimateFactor) {
    return {
      memory,
      problem: `Cannot train on ${limits.name}: ${takes}; ${whatFits(preset, limits)}`,
    };
  }
  return total * margin <= maxBytes ? { memory } : {
    memory,
    doubt: `${takes}, and may not fit; ${whatFits(preset, limits)}`,
  };
};

/**
 * Refuses a step that cannot fit the device, before the first one: `Config`, with the setting that
 * would fit. Warns of one that may not.
 */
export const checkMemory = (name: PresetName, preset: Preset): ReaderTaskEither<
  HasBackend & HasEvents,
  Err<"Config">,
  StepMemory
> =>
({ backend, emit }) =>
() => {
  const { memory, problem, doubt } = judgeMemory(name, preset, backend);
  if (doubt !== undefined) emit({ _tag: "Warning", step: 0, message: doubt });
  return Promise.resolve(
    problem === undefined ? E.right(memory) : E.left({ _tag: "Config", problems: [problem] }),
  );
};
