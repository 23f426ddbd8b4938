/**
 * How much memory a step of meta-learning takes on the device, worked out from the shapes of what
 * is alive at its peak. `tests/models/step_memory_test.ts` compares it with what was measured.
 *
 * @module
 */
import {
  type BlockLayer,
  discriminatorLayers,
  embedderLayers,
  generatorLayers,
  hasNorms,
  hasSkip,
  type Layer,
} from "./architecture.ts";
import { countArchitecture } from "./parameter_specs.ts";
import { attentionMapBytes, queriesPerBlock } from "./attention.ts";
import type { ContentEntry } from "./content_loss.ts";
import { type NetworkKind, perceptualNetworks } from "./perceptual.ts";
import type { Preset } from "./presets.ts";

/** What a step of meta-learning takes, in bytes. */
export interface StepMemory {
  /** Parameters, second moments, averages, gradients, and what replaces them, at the peak. */
  readonly weights: number;
  /** Activations of the three networks at the peak. */
  readonly activations: number;
  /** Weights and activations of the content networks. */
  readonly content: number;
  /** All of it on a heap, with working memory and holes. */
  readonly total: number;
  /** The largest tensor: what a GPU must be able to bind. */
  readonly largest: {
    /** Where it is. */
    readonly where: string;
    /** Its size. */
    readonly bytes: number;
  };
}

const floatBytes = 4;

/** Numbers of one tensor or of some, and where they are. */
interface Activation {
  readonly where: string;
  readonly floats: number;
}

/** Side of the feature map after a layer. */
const after = (layer: Layer, side: number): number =>
  layer.kind === "attention" || layer.mode === "same"
    ? side
    : layer.mode === "down"
    ? side / 2
    : side * 2;

/** The tensors that a residual block makes, for `count` frames. */
const ofBlock = (layer: BlockLayer, side: number, count: number): readonly Activation[] => {
  const { input, output, mode, first, norm, path } = layer;
  const out = after(layer, side), wide = Math.max(side, out), low = Math.min(side, out);
  const normed = hasNorms(layer) || norm === "adaptive";
  const tensor = (name: string, at: number, channels: number): Activation => ({
    where: `${path}/${name}`,
    floats: count * at * at * channels,
  });
  return [
    ...(first ? [] : [tensor("relu1", side, input)]),
    ...(mode === "up" ? [tensor("upsampled", wide, input)] : []),
    tensor("conv1", wide, output),
    ...(normed ? [tensor("relu2", wide, output)] : []),
    tensor("conv2", wide, output),
    ...(mode === "down" ? [tensor("pooled", out, output)] : []),
    ...(hasSkip(layer) ? [tensor("skip", low, output)] : []),
    ...(hasSkip(layer) && mode === "up" ? [tensor("skip upsampled", wide, output)] : []),
    ...(hasSkip(layer) && mode === "down" ? [tensor("input pooled", low, input)] : []),
    tensor("sum", out, output),
  ];
};

/** The tensors that self-attention makes, for `count` maps. */
const ofAttention = (
  { path, channels }: Extract<Layer, { readonly kind: "attention" }>,
  side: number,
  count: number,
): readonly Activation[] => {
  const positions = side * side, rows = queriesPerBlock(count, positions, attentionMapBytes);
  const map = count * rows * positions;
  return [
    { where: `${path}/map`, floats: map },
    { where: `${path}/logits`, floats: rows === positions ? 0 : map },
    { where: `${path}/values`, floats: count * positions * channels },
    { where: `${path}/keys`, floats: count * positions * channels / 4 },
    { where: `${path}/attended`, floats: count * positions * channels },
    { where: `${path}/scaled`, floats: count * positions * channels },
  ];
};

/** The tensors that a network makes, for `count` frames of `size` pixels. */
const ofNetwork = (
  layers: readonly Layer[],
  size: number,
  count: number,
): readonly Activation[] => {
  let side = size;
  return layers.flatMap((layer) => {
    const found = layer.kind === "block"
      ? ofBlock(layer, side, count)
      : ofAttention(layer, side, count);
    side = after(layer, side);
    return found;
  });
};

const sum = (activations: readonly Activation[]): number =>
  activations.reduce((total, { floats }) => total + floats, 0);

/** What only feature matching holds of the real frames: the outputs of the blocks. */
const outputs = (activations: readonly Activation[]): readonly Activation[] =>
  activations.filter(({ where }) => where.endsWith("/sum"));

/** Weights and activations of the content networks, for `count` pairs of frames, in numbers. */
const contentFloats = (
  entries: readonly ContentEntry[],
  size: number,
  count: number,
): number =>
  entries.reduce((total, { network, taps }) => {
    const kind: NetworkKind = perceptualNetworks[network];
    const { weights, activations, tapped } = kind.cost(taps, size);
    return total + weights + count * (activations + tapped);
  }, 0);

/** Numbers that are alive at one moment of a step. */
interface Moment {
  readonly weights: number;
  readonly activations: number;
}

/**
 * The three moments of a step that can be its peak. Alive of E, G and P are the parameters with
 * their second moments and averages, later the new ones beside the old; of D the same without
 * averages, once for each of its updates.
 */
const momentsOf = ({ architecture, training }: Preset): readonly Moment[] => {
  const { size } = architecture, { batch, shots, accumulate, discriminatorSteps } = training;
  const counts = countArchitecture(architecture, 0);
  const made = counts.embedder + counts.generator, judge = counts.discriminator;
  const judging = discriminatorLayers(architecture);
  const judged = ofNetwork(judging, size, batch);
  const parts = accumulate === 1 ? 0 : accumulate; // their gradients, beside the mean
  return [
    { // the generator's forward pass has ended
      weights: (4 + Math.max(0, parts - 1)) * made + 3 * judge,
      activations: sum(ofNetwork(embedderLayers(architecture), size, batch * shots)) +
        sum(ofNetwork(generatorLayers(architecture), size, batch)) +
        sum(judged) + sum(outputs(judged)),
    },
    { // the last forward pass of the discriminator has ended
      weights: (6 + parts) * made + (4 + (3 + parts) * (discriminatorSteps - 1)) * judge,
      activations: sum(ofNetwork(judging, size, 2 * batch)),
    },
    { // the step is done, and what it replaces is not freed yet
      weights: (7 + parts) * made + (3 + (3 + parts) * discriminatorSteps) * judge,
      activations: 0,
    },
  ];
};

/** How much larger a heap is than what is counted here: working memory, holes. Measured. */
const slack = 1.3, fixedBytes = 20e6;

/** What one step of meta-learning takes with these networks and this training. */
export const stepMemory = (preset: Preset): StepMemory => {
  const { architecture, training } = preset;
  const { size } = architecture, { batch, shots } = training;
  const of = ({ weights, activations }: Moment): number => weights + activations;
  const peak = momentsOf(preset).reduce((most, moment) => of(moment) > of(most) ? moment : most);
  const [largest] = [
    ...ofNetwork(embedderLayers(architecture), size, batch * shots),
    ...ofNetwork(generatorLayers(architecture), size, batch),
    ...ofNetwork(discriminatorLayers(architecture), size, 2 * batch),
  ].toSorted((a, b) => b.floats - a.floats);
  const weights = floatBytes * peak.weights, activations = floatBytes * peak.activations;
  const content = floatBytes * contentFloats(training.content, size, batch);
  return {
    weights,
    activations,
    content,
    total: fixedBytes + slack * (weights + activations + content),
    largest: { where: largest?.where ?? "nowhere", bytes: floatBytes * (largest?.floats ?? 0) },
  };
};
