/**
 * The shape of the three networks as data: their layers follow from it, and from those the
 * parameters (`parameter_specs.ts`), so that a description exists once. Section 4 of the paper; the
 * layer sizes are those of DESIGN 4.
 *
 * @module
 */

/** Sizes of the networks of one preset. Images are square, NHWC, in [-1, 1]. */
export interface Architecture {
  /** Side of the images in pixels. */
  readonly size: number;
  /** N: numbers in an embedding. */
  readonly embedding: number;
  /** Channels after each downsampling block of the embedder and of V. */
  readonly tower: readonly number[];
  /** Channels after each downsampling block of the generator. */
  readonly down: readonly number[];
  /** How many residual blocks the generator has at its lowest resolution. */
  readonly residual: number;
  /** Channels after each upsampling block of the generator. */
  readonly up: readonly number[];
  /** Side of the feature map to which self-attention is applied on the way down. */
  readonly attentionDown: number;
  /** Side of the feature map to which self-attention is applied on the way up. */
  readonly attentionUp: number;
}

/** What a residual block does to the resolution. */
export type BlockMode = "down" | "up" | "same";

/** How a residual block normalises: not at all, affine instance norm, or AdaIN. */
export type BlockNorm = "none" | "instance" | "adaptive";

/** A residual block. */
export interface BlockLayer {
  /** Tells it from {@link AttentionLayer}. */
  readonly kind: "block";
  /** The prefix of its parameters. */
  readonly path: string;
  /** Channels in. */
  readonly input: number;
  /** Channels out. */
  readonly output: number;
  /** What it does to the resolution. */
  readonly mode: BlockMode;
  /** How it normalises. */
  readonly norm: BlockNorm;
  /** The first block of a network has neither the leading ReLU nor norms. */
  readonly first: boolean;
}

/** A self-attention block. */
export interface AttentionLayer {
  /** Tells it from {@link BlockLayer}. */
  readonly kind: "attention";
  /** The prefix of its parameters. */
  readonly path: string;
  /** Channels in and out. */
  readonly channels: number;
}

/** One layer of a network. */
export type Layer = BlockLayer | AttentionLayer;

const tower = (prefix: string, { size, tower, attentionDown }: Architecture): Layer[] => {
  const layers: Layer[] = [];
  let input = 6, side = size;
  tower.forEach((output, i) => {
    layers.push({
      kind: "block",
      path: `${prefix}/block${i}`,
      input,
      output,
      mode: "down",
      norm: "none",
      first: i === 0,
    });
    input = output;
    side /= 2;
    if (side === attentionDown) {
      layers.push({ kind: "attention", path: `${prefix}/attention`, channels: output });
    }
  });
  return layers;
};

/** The layers of the embedder E (section 3.1). */
export const embedderLayers = (architecture: Architecture): readonly Layer[] =>
  tower("E", architecture);

/** The layers of V, the convolutional part of the discriminator D (section 3.1). */
export const discriminatorLayers = (architecture: Architecture): readonly Layer[] => {
  const channels = architecture.tower.at(-1) ?? 6;
  return [...tower("D", architecture), {
    kind: "block",
    path: "D/res",
    input: channels,
    output: channels,
    mode: "same",
    norm: "none",
    first: false,
  }];
};

/** The layers of the generator G (section 3.1); the head follows them. */
export const generatorLayers = (architecture: Architecture): readonly Layer[] => {
  const layers: Layer[] = [];
  let input = 3, side = architecture.size;
  architecture.down.forEach((output, i) => {
    const path = `G/down${i}`, first = i === 0;
    layers.push({ kind: "block", path, input, output, mode: "down", norm: "instance", first });
    input = output;
    side /= 2;
    if (side === architecture.attentionDown) {
      layers.push({ kind: "attention", path: "G/attentionDown", channels: output });
    }
  });
  const adaptive = { kind: "block", norm: "adaptive", first: false } as const;
  for (let i = 0; i < architecture.residual; i++) {
    layers.push({ ...adaptive, path: `G/res${i}`, input, output: input, mode: "same" });
  }
  architecture.up.forEach((output, i) => {
    layers.push({ ...adaptive, path: `G/up${i}`, input, output, mode: "up" });
    input = output;
    side *= 2;
    if (side === architecture.attentionUp) {
      layers.push({ kind: "attention", path: "G/attentionUp", channels: output });
    }
  });
  return layers;
};

/** Channels of every AdaIN layer of the generator, in the order of the slices of P·e. */
export const adaptiveChannels = (architecture: Architecture): readonly number[] => [
  ...generatorLayers(architecture).flatMap((layer) =>
    layer.kind === "block" && layer.norm === "adaptive" ? [layer.input, layer.output] : []
  ),
  architecture.up.at(-1) ?? 3,
];

/** Whether a block carries affine instance norms of its own. */
export const hasNorms = (layer: BlockLayer): boolean => layer.norm === "instance" && !layer.first;

/** Whether a block has a 1×1 convolution on its skip connection (identity otherwise). */
export const hasSkip = (layer: BlockLayer): boolean =>
  layer.input !== layer.output || layer.mode !== "same";
