/** A person of a few pixels and drivers for the tests of driving. */
import assert from "node:assert/strict";
import { selectBackend } from "../../../backends/select.ts";
import { trackText } from "../../../datasets/track/landmark_track.ts";
import { syntheticTrack } from "../../../datasets/track/synthetic_driver.ts";
import { paintSyntheticFrame } from "../../../datasets/synthetic.ts";
import { type Env, makeEnv } from "../../../pipeline/core/env.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { drive } from "../../../pipeline/programs/drive.ts";
import type { DriveOptions } from "../../../pipeline/programs/drive_options.ts";
import {
  coefficientCount,
  expectedGenerator,
  noConsent,
  type Person,
  rasterizerOf,
} from "../../../pipeline/programs/person.ts";

const preset = "test-16", size = 16;

/** Somebody with the smallest networks, their weights random. */
export const testPerson = (): Person<"embedded"> => {
  const draw = makeRng(3).fold("person").draw();
  const random = (shape: readonly number[]): Float32Array<ArrayBuffer> => {
    const inputs = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const count = shape.reduce((a, b) => a * b, 1);
    return Float32Array.from(
      { length: count },
      () => draw.uniform(-1, 1) / Math.sqrt(Math.max(1, inputs)),
    );
  };
  return {
    kind: "embedded",
    preset,
    pooling: "relu-sum",
    gain: "one-plus",
    embedding: random([8]),
    coefficients: random([coefficientCount(preset)]),
    generator: Object.fromEntries(
      expectedGenerator(preset).map(({ name, shape }) => [
        name,
        { dtype: "F32" as const, shape, data: random(shape) },
      ]),
    ),
    rasterizer: rasterizerOf(preset),
    model: "ab".repeat(32),
    consent: noConsent,
    portrait: paintSyntheticFrame({ seed: 1, identity: 5, video: 0, seconds: 0, size }),
    sources: syntheticTrack({ identity: 5, size, frames: 4, framesPerSecond: 4 }).frames,
  };
};

/** Runs with an environment that tells events to `emit`, on the reference backend. */
export const onCpu = async <A>(
  use: (env: Env) => Promise<A>,
  options: { readonly emit?: Env["emit"]; readonly signal?: AbortSignal } = {},
): Promise<A> => {
  const backend = await selectBackend("cpu")();
  assert(E.isRight(backend));
  try {
    const before = backend.right.tensors();
    const result = await use(makeEnv({ backend: backend.right, ...options }));
    assert.equal(backend.right.tensors(), before, "tensors are left over");
    return result;
  } finally {
    await backend.right.close();
  }
};

/** Drives the test person. */
export const driveTest = (
  options: DriveOptions,
  env: Parameters<typeof onCpu>[1] = {},
): Promise<Awaited<ReturnType<ReturnType<ReturnType<ReturnType<typeof drive>>>>>> =>
  onCpu((all) => drive(options)(testPerson())(all)(), env);

/** A track file of a synthetic person with the face lost in frames 3, 4, 5 and 6. */
export const lossy = async (path: string): Promise<string> => {
  const track = syntheticTrack({ identity: 4, size: 32, frames: 10, framesPerSecond: 10 });
  const frames = track.frames.map((points, i) => i > 2 && i < 7 ? null : points);
  await Deno.writeTextFile(path, trackText({ ...track, frames }));
  return path;
};

/** Asks ffprobe; the answer as JSON. */
export const probe = async (path: string): Promise<{
  readonly streams: readonly Record<string, string | number>[];
  readonly format: { readonly duration: string; readonly tags?: Record<string, string> };
}> => {
  const { stdout, success } = await new Deno.Command("ffprobe", {
    args: ["-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", path],
  }).output();
  assert(success, `ffprobe ${path}`);
  return JSON.parse(new TextDecoder().decode(stdout));
};

/** Names in a folder. */
export const namesIn = async (folder: string): Promise<readonly string[]> =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).toSorted();
