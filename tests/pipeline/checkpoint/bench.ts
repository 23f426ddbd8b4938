/** A folder to work in, an environment that remembers events, contents to save. */
import assert from "node:assert/strict";
import { E } from "../../../pipeline/core/fp.ts";
import type { HasEvents } from "../../../pipeline/core/env.ts";
import type { TrainEvent } from "../../../pipeline/core/events.ts";
import { makeRng } from "../../../pipeline/core/rng.ts";
import { openRun, type RunFolder } from "../../../pipeline/programs/checkpoint/run_folder.ts";
import type { HostTensor } from "../../../pipeline/core/safetensors.ts";
import {
  type CheckpointContent,
  saveCheckpoint,
} from "../../../pipeline/programs/checkpoint/store.ts";

export const config = { preset: "test-16", steps: 100, optimiser: { learningRate: 5e-5 } };

export const testEnv = (): HasEvents & { readonly events: TrainEvent[] } => {
  const events: TrainEvent[] = [];
  return { events, emit: (event) => void events.push(event) };
};

export const inFolder = async (use: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

export const rightOf = <A>(either: E.Either<unknown, A>): A => {
  if (E.isRight(either)) return either.right;
  return assert.fail(JSON.stringify(either.left));
};

const noise = (step: number, label: string, n: number): HostTensor => {
  const phase = makeRng(step).fold(label).draw().uniform();
  const data = new Float32Array(n);
  for (let i = 0; i < n; i++) data[i] = (phase * (i + 1)) % 1 - 0.5;
  return { dtype: "F32", shape: [n], data };
};

/** Content that depends on its step alone. */
export const contentOf = (step: number, n = 50, score?: number): CheckpointContent => ({
  step,
  seed: 1,
  architecture: "test-16/1",
  config,
  ...(score === undefined ? {} : { score }),
  weights: { "G/head/kernel": noise(step, "weights", n) },
  state: {
    "D/W": noise(step, "W", n),
    "D/W/step": { dtype: "I32", shape: [2], data: Int32Array.of(step, -1) },
  },
});

export const newRun = async (path: string): Promise<RunFolder> =>
  rightOf(await openRun({ path, config, resume: false })(testEnv())());

export const save = async (run: RunFolder, step: number, score?: number): Promise<string> =>
  rightOf(await saveCheckpoint(run)(contentOf(step, 50, score))(testEnv())()).path;

/** Names in a folder, hidden ones too. */
export const namesIn = (folder: string): readonly string[] =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

/** Changes members of a checkpoint's meta.json. */
export const patchMeta = (path: string, patch: Readonly<Record<string, unknown>>): void => {
  const meta: unknown = JSON.parse(Deno.readTextFileSync(`${path}/meta.json`));
  Deno.writeTextFileSync(`${path}/meta.json`, JSON.stringify({ ...Object(meta), ...patch }));
};

/** Flips a bit of the byte at `at`, counted from the end where it is negative. */
export const flipBit = (file: string, at: number): void => {
  const bytes = Deno.readFileSync(file);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 4;
  Deno.writeFileSync(file, bytes);
};
