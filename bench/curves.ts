/**
 * What a step of meta-learning costs against one setting of it.
 *
 * @module
 */
import { type PresetName, presetNames, presets } from "../models/presets.ts";
import type { HasBackend, HasClock, HasRng } from "../pipeline/core/env.ts";
import type { Effort } from "../pipeline/core/timing.ts";
import { comparable, metaStepSeconds, videosInW } from "./networks.ts";

/** Settings against which a curve is drawn: resolution is the preset's. */
export const curveAxes = ["preset", "shots", "batch", "videos"] as const;

/** A curve that is asked for. */
export interface CurveRequest {
  readonly axis: typeof curveAxes[number];
  /** Names of presets, or whole numbers above 0. */
  readonly values: readonly string[];
}

/** One point of a curve. */
export interface CurvePoint {
  /** The setting: a number; of a preset its side in pixels. */
  readonly at: number;
  /** The setting as it was asked for. */
  readonly value: string;
  /** Median. */
  readonly metaStepSeconds: number;
}

/** Step times against one setting, the others as they were given. */
export interface Curve {
  readonly axis: CurveRequest["axis"];
  readonly points: readonly CurvePoint[];
}

/** Settings that a curve does not vary. */
export interface CurveBase {
  readonly preset: PresetName;
  readonly shots: number;
  readonly batch: number;
}

/** `shots=1,2,4,8` as a curve; a sentence where it is none. */
export const parseCurve = (text: string): CurveRequest | string => {
  const [name = "", list = "", ...more] = text.split("="), values = list.split(",");
  const axis = curveAxes.find((each) => each === name);
  const isValue = (value: string): boolean =>
    axis === "preset"
      ? presetNames.some((each) => each === value)
      : /^\d{1,7}$/.test(value) && Number(value) > 0;
  if (axis !== undefined && more.length === 0 && values.every(isValue)) return { axis, values };
  return `Cannot measure --curve ${text}: expected ${
    curveAxes.join(", ")
  } = values that it takes, ` +
    "like shots=1,2,4,8 or preset=toy-64,small-128";
};

const pointOf = async (
  env: HasBackend & HasRng & HasClock,
  base: CurveBase,
  axis: CurveRequest["axis"],
  value: string,
  effort: Effort,
): Promise<CurvePoint> => {
  const number = Number(value);
  const name = presetNames.find((each) => axis === "preset" && each === value) ?? base.preset;
  const shots = axis === "shots" ? number : base.shots;
  const batch = axis === "batch" ? number : base.batch;
  const preset = comparable(presets[name], { shots, batch });
  const videos = axis === "videos" ? number : Math.max(batch, videosInW);
  return {
    at: axis === "preset" ? preset.architecture.size : number,
    value,
    metaStepSeconds: await metaStepSeconds(env, preset, effort, videos),
  };
};

/** Measures a curve, point after point, each with networks of its own. */
export const measureCurve = async (
  env: HasBackend & HasRng & HasClock,
  base: CurveBase,
  { axis, values }: CurveRequest,
  effort: Effort,
): Promise<Curve> => {
  const points: CurvePoint[] = [], [first] = values;
  // Once for nothing: the first steps of a process are spent in compilers.
  if (first !== undefined) await pointOf(env, base, axis, first, { ...effort, runs: 3 });
  for (const value of values) points.push(await pointOf(env, base, axis, value, effort));
  return { axis, points };
};
