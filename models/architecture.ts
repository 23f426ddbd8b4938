/**
 * The shape of the three networks as data: layers, parameters and their counts follow from it, so
 * that a description exists once. Section 4 of the paper; the layer sizes are those of DESIGN 4.
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

/** How a parameter starts. */
export type Initial =
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "constant"; readonly value: number };

/** A trainable tensor: its name in files, its shape and how it starts. */
export interface ParameterSpec {
  /** Its name in files. */
  readonly name: string;
  /** Kernels HWIO, dense kernels [in, out]. */
  readonly shape: readonly number[];
  /** How it starts. */
  readonly initial: Initial;
  /** The layer has spectral norm: `<layer>/u` [out] is saved beside it. */
  readonly spectral: boolean;
}

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

const dense = (
  layer: string,
  shape: readonly number[],
  { bias, spectral = true }: { readonly bias: boolean; readonly spectral?: boolean },
): ParameterSpec[] => {
  const output = shape.at(-1) ?? 1;
  const bound = 1 / Math.sqrt(shape.slice(0, -1).reduce((a, b) => a * b, 1));
  const initial = { kind: "uniform", bound } as const;
  const kernel = { name: `${layer}/kernel`, shape, initial, spectral };
  return bias
    ? [kernel, { name: `${layer}/bias`, shape: [output], initial, spectral: false }]
    : [kernel];
};

const norm = (layer: string, channels: number): ParameterSpec[] =>
  ["gain", "bias"].map((leaf) => ({
    name: `${layer}/${leaf}`,
    shape: [channels],
    initial: { kind: "constant", value: leaf === "gain" ? 1 : 0 },
    spectral: false,
  }));

const layerParameters = (layer: Layer): ParameterSpec[] => {
  if (layer.kind === "attention") {
    const { path, channels } = layer;
    return [
      ...dense(`${path}/f`, [1, 1, channels, channels / 8], { bias: true }),
      ...dense(`${path}/g`, [1, 1, channels, channels / 8], { bias: true }),
      ...dense(`${path}/h`, [1, 1, channels, channels], { bias: true }),
      {
        name: `${path}/gamma`,
        shape: [],
        initial: { kind: "constant", value: 0 },
        spectral: false,
      },
    ];
  }
  const { path, input, output } = layer;
  const bias = !hasNorms(layer) && layer.norm !== "adaptive";
  return [
    ...dense(`${path}/conv1`, [3, 3, input, output], { bias }),
    ...dense(`${path}/conv2`, [3, 3, output, output], { bias }),
    ...(hasSkip(layer) ? dense(`${path}/skip`, [1, 1, input, output], { bias: true }) : []),
    ...(hasNorms(layer) ? [...norm(`${path}/norm1`, input), ...norm(`${path}/norm2`, output)] : []),
  ];
};

/** Whether a block carries affine instance norms of its own. */
export const hasNorms = (layer: BlockLayer): boolean => layer.norm === "instance" && !layer.first;

/** Whether a block has a 1×1 convolution on its skip connection (identity otherwise). */
export const hasSkip = (layer: BlockLayer): boolean =>
  layer.input !== layer.output || layer.mode !== "same";

/** Parameters of the embedder. */
export const embedderParameters = (architecture: Architecture): readonly ParameterSpec[] =>
  embedderLayers(architecture).flatMap(layerParameters);

/** Parameters of the generator and of the projection P. */
export const generatorParameters = (architecture: Architecture): readonly ParameterSpec[] => {
  const channels = adaptiveChannels(architecture);
  const coefficients = 2 * channels.reduce((a, b) => a + b, 0);
  return [
    ...generatorLayers(architecture).flatMap(layerParameters),
    ...dense("G/head", [3, 3, architecture.up.at(-1) ?? 3, 3], { bias: true }),
    ...dense("P", [architecture.embedding, coefficients], { bias: true }),
  ];
};

/** Parameters of the discriminator without the rows of W, which live in host memory. */
export const discriminatorParameters = (architecture: Architecture): readonly ParameterSpec[] => {
  const bound = 1 / Math.sqrt(architecture.embedding);
  const initial = { kind: "uniform", bound } as const;
  return [
    ...discriminatorLayers(architecture).flatMap(layerParameters),
    { name: "D/w0", shape: [architecture.embedding, 1], initial, spectral: true },
    { name: "D/b", shape: [1], initial, spectral: false },
  ];
};

/** The name under which the vector u of a parameter with spectral norm is saved. */
export const spectralName = (parameter: string): string =>
  parameter.endsWith("/kernel") ? parameter.replace(/kernel$/, "u") : `${parameter}/u`;

const countAll = (specs: readonly ParameterSpec[]): number =>
  specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);

/** How many trainable numbers each network has; `videos` is the number of rows of W. */
export const countArchitecture = (
  architecture: Architecture,
  videos: number,
): { readonly embedder: number; readonly generator: number; readonly discriminator: number } => ({
  embedder: countAll(embedderParameters(architecture)),
  generator: countAll(generatorParameters(architecture)),
  discriminator: countAll(discriminatorParameters(architecture)) + videos * architecture.embedding,
});
