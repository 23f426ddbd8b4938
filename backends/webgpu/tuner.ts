/**
 * Measures, once for each shape of a product, which plan (`plan.ts`) the GPU does it fastest with.
 * A shape that was never seen is computed by the standard plan and noted; it is measured when the
 * step that it came in is recorded, because times can only be awaited there.
 *
 * @module
 */
import type { TensorInfo, WebGPUBackend } from "../tf.ts";
import type { Witness } from "../session.ts";
import { free } from "./kernel.ts";
import { type Extent, otherCuts, otherTiles, type Plan, standardPlan } from "./plan.ts";
import { type Timer, timerFor } from "./timer.ts";

/** Plans by kernel, its version and shape: what {@link measuredPlan} knows and a file keeps. */
export type Plans = ReadonlyMap<string, Plan>;

/** A product as it can be tried out. */
export interface Trial {
  /** The text of its shader: another one makes earlier measurements void. */
  readonly wording: string;
  /** What its inputs are. */
  readonly inputs: readonly Pick<TensorInfo, "shape" | "dtype">[];
  /** Records it once by that plan. */
  readonly attempt: (plan: Plan, inputs: readonly TensorInfo[]) => TensorInfo;
}

interface Tuner {
  readonly plans: Map<string, Plan>;
  readonly waiting: Map<string, Trial & { readonly extent: Extent }>;
  readonly versions: Map<string, string>;
  busy: boolean;
}

const tuners = new WeakMap<WebGPUBackend, Tuner>();

/** From now on products on this backend go by the plans that are known, or measured later. */
export const startTuning = (backend: WebGPUBackend, known: Plans): void => {
  tuners.set(backend, {
    plans: new Map(known),
    waiting: new Map(),
    versions: new Map(),
    busy: false,
  });
};

/** A short name of a text (FNV-1a). */
const fingerprint = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
};

/** The plan for a product, where one is known; else the product is noted, to be measured. */
export const measuredPlan = (
  backend: WebGPUBackend,
  product: Extent & {
    readonly key: string;
    readonly parameters: Readonly<Record<string, number>>;
  },
  trial: () => Trial,
): Plan | undefined => {
  const tuner = tuners.get(backend);
  if (!tuner) return undefined;
  const { key, parameters, rows, columns, terms } = product;
  const version = tuner.versions.get(key) ?? fingerprint(trial().wording);
  tuner.versions.set(key, version);
  const shape = [rows, columns, terms, ...Object.values(parameters)].join("x");
  const name = `${key} ${version} ${shape}`, plan = tuner.plans.get(name);
  if (!plan && !tuner.waiting.has(name)) {
    tuner.waiting.set(name, { ...trial(), extent: { rows, columns, terms } });
  }
  return plan;
};

/** Runs of a plan, the quickest of which counts; the first one also compiles, and does not. */
const runs = 5;

const timeOf = async (
  { attempt }: Trial,
  plan: Plan,
  { backend, timer, witness, inputs, best }: {
    readonly backend: WebGPUBackend;
    readonly timer: Timer;
    readonly witness: Witness;
    readonly inputs: readonly TensorInfo[];
    readonly best: number;
  },
): Promise<number> => {
  let quickest = Infinity;
  for (let run = 0; run <= runs; run++) {
    const judge = witness.listen("measuring a product");
    const timing = timer.time(() => free(backend, attempt(plan, inputs))).catch(() => Infinity);
    // A plan that the device refuses is no plan.
    const problem = await judge(), time = await timing;
    if (problem !== undefined) return Infinity;
    if (run === 0) continue;
    quickest = Math.min(quickest, time);
    if (quickest > 2 * best) return quickest; // no hope
  }
  return quickest;
};

const bestPlan = async (
  trial: Trial & { readonly extent: Extent },
  on: { readonly backend: WebGPUBackend; readonly timer: Timer; readonly witness: Witness },
): Promise<Plan> => {
  const { backend } = on, { extent } = trial;
  const inputs = trial.inputs.map(({ shape, dtype }) => backend.makeTensorInfo(shape, dtype));
  let plan = standardPlan(extent);
  let time = await timeOf(trial, plan, { ...on, inputs, best: Infinity });
  // Tiles first, then cuts of the best one: all of them together would be three times as many.
  for (const others of [otherTiles, otherCuts]) {
    for (const other of others(extent, plan)) {
      const found = await timeOf(trial, other, { ...on, inputs, best: time });
      if (found < time) [plan, time] = [other, found];
    }
  }
  free(backend, ...inputs);
  return plan;
};

/**
 * Measures what was noted; call it between steps. Gives all plans where there are new ones. Does
 * nothing where nothing waits, or another call is at it.
 */
export const measureWaiting = async (
  backend: WebGPUBackend,
  witness: Witness,
  open: () => boolean,
  makeTimer: (backend: WebGPUBackend) => Timer = timerFor,
): Promise<Plans | undefined> => {
  const tuner = tuners.get(backend);
  if (!tuner || tuner.busy || tuner.waiting.size === 0) return undefined;
  tuner.busy = true;
  const timer = makeTimer(backend);
  try {
    for (const [name, trial] of tuner.waiting) {
      if (!open()) break;
      tuner.plans.set(name, await bestPlan(trial, { backend, timer, witness }));
      tuner.waiting.delete(name);
    }
  } finally {
    timer.close();
    tuner.busy = false;
  }
  return tuner.plans;
};
