/**
 * The configuration of a meta-training run: defaults of the preset < file < command line, decoded
 * at once with every problem listed.
 *
 * @module
 */
import { type ContentEntry, contentProblems } from "../../models/content_loss.ts";
import { type PerceptualNetworkName, perceptualNetworks } from "../../models/perceptual.ts";
import {
  type Preset,
  type PresetName,
  presetNames,
  presets,
  type Training,
} from "../../models/presets.ts";
import {
  type Codec,
  decodeConfig,
  flag,
  fraction,
  listOf,
  nonNegativeInteger,
  nonNegativeNumber,
  oneOf,
  path,
  positiveInteger,
  rate,
  strict,
  text,
} from "../core/config.ts";
import { mergeConfig } from "../core/config_file.ts";
import type { BackendName } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, type Either } from "../core/fp.ts";
import { type TrainableName, trainableNames } from "./trainable_names.ts";

/** Everything that says what a run of meta-learning does. Written to `config.json`. */
export interface RunConfig {
  /** Sizes of the networks; its training is the default of `training`. */
  readonly preset: PresetName;
  /** "synthetic", or a folder of videos in VoxCeleb layout. */
  readonly data: string;
  /** The folder of the run. */
  readonly run: string;
  /** Where all randomness starts. */
  readonly seed: number;
  /** What to compute on. */
  readonly backend: BackendName | "auto";
  /** Which model is trained. */
  readonly method: TrainableName;
  /** "ft" trains with the match term, "ff" without (section 4.2). */
  readonly variant: "ft" | "ff";
  /** How it is trained. */
  readonly training: Training;
  /** Steps between two read-backs of the figures. */
  readonly tickEvery: number;
  /** Steps between two pictures of samples. */
  readonly gridEvery: number;
  /** Steps between two looks at unseen people. */
  readonly watchEvery: number;
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number;
  /** How many checkpoints stay. */
  readonly keep: number;
  /** How many people are judged at the end, from how many source frames, on how many others. */
  readonly judge: { readonly people: number; readonly shots: number; readonly targets: number };
  /** The share of identities of a folder that is never trained on. */
  readonly heldOutShare: number;
  /** Where decoded crops of a folder are kept. */
  readonly cache: string;
}

const ramp = strict({
  start: nonNegativeNumber,
  end: nonNegativeNumber,
  from: nonNegativeInteger,
  to: nonNegativeInteger,
});

const networkNames = Object.keys(perceptualNetworks) as [
  PerceptualNetworkName,
  ...PerceptualNetworkName[],
];

const contentEntry: Codec<ContentEntry> = strict(
  { network: oneOf(networkNames), taps: listOf(text), weight: nonNegativeNumber },
  { path, pooling: oneOf(["max", "average"]) },
);

const training: Codec<Training> = strict({
  steps: positiveInteger,
  shots: positiveInteger,
  batch: positiveInteger,
  accumulate: positiveInteger,
  discriminatorSteps: positiveInteger,
  generatorRate: rate,
  discriminatorRate: rate,
  rateDecay: strict({ from: fraction, to: fraction }),
  adversarial: nonNegativeNumber,
  featureMatching: nonNegativeNumber,
  match: ramp,
  matchRows: flag,
  content: listOf(contentEntry, 1),
  pooling: oneOf(["sum-relu", "relu-sum"]),
  gain: oneOf(["raw", "one-plus"]),
  averageDecay: fraction,
});

const presetCodec: Codec<PresetName> = oneOf(presetNames as [PresetName, ...PresetName[]]);

const runConfig: Codec<RunConfig> = strict({
  preset: presetCodec,
  data: text,
  run: path,
  seed: nonNegativeInteger,
  backend: oneOf(["auto", "webgpu", "wasm", "native", "cpu"]),
  method: oneOf(trainableNames),
  variant: oneOf(["ft", "ff"]),
  training,
  tickEvery: positiveInteger,
  gridEvery: positiveInteger,
  watchEvery: positiveInteger,
  checkpointEvery: positiveInteger,
  keep: positiveInteger,
  judge: strict({ people: positiveInteger, shots: positiveInteger, targets: positiveInteger }),
  heldOutShare: fraction,
  cache: path,
});

/** A tree of settings that override the defaults. */
export type Overrides = Readonly<Record<string, unknown>>;

const defaults = (preset: PresetName): RunConfig => ({
  preset,
  data: "synthetic",
  run: "runs/meta-train",
  seed: 1,
  backend: "auto",
  method: "headshot",
  variant: "ft",
  training: presets[preset].training,
  tickEvery: 10,
  gridEvery: 200,
  watchEvery: 100,
  checkpointEvery: 200,
  keep: 3,
  judge: { people: 25, shots: 8, targets: 4 },
  heldOutShare: 0.2,
  cache: ".cache/frames",
});

/** Decodes overrides as {@link decodeRunConfig} does, but does not ask whether weights are there. */
export const draftRunConfig = (
  ...layers: readonly Overrides[]
): Either<Err<"Config">, RunConfig> => {
  const named = layers.reduce<unknown>((name, layer) => layer.preset ?? name, "toy-64");
  const base = { ...defaults(presetCodec.is(named) ? named : "toy-64"), preset: named };
  return decodeConfig(runConfig)(mergeConfig(base, ...layers));
};

/**
 * Decodes overrides (file first, then command line) over the defaults of the preset that they
 * name. `Config` lists every problem with its path.
 */
export const decodeRunConfig = (
  ...layers: readonly Overrides[]
): Either<Err<"Config">, RunConfig> => {
  const draft = draftRunConfig(...layers);
  if (E.isLeft(draft)) return draft;
  const { variant, training } = draft.right;
  const problems = contentProblems(training.content);
  if (problems.length > 0) return E.left({ _tag: "Config", problems });
  if (variant === "ft") return draft;
  // FF never sees the match term: its embedding is used as it is, with no fine-tuning after.
  const match = { start: 0, end: 0, from: 0, to: 0 };
  return E.right({ ...draft.right, training: { ...training, match } });
};

/** Networks and training of a run. */
export const presetOf = ({ preset, training }: RunConfig): Preset => ({
  architecture: presets[preset].architecture,
  training,
});
