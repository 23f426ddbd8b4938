/**
 * The trainable tensors of the three networks: names, shapes, how they start, and their counts, as
 * they follow from the layers. Section 4 of the paper; the counts are those of DESIGN 4.
 *
 * @module
 */
import {
  adaptiveChannels,
  type Architecture,
  discriminatorLayers,
  embedderLayers,
  generatorLayers,
  hasNorms,
  hasSkip,
  type Layer,
} from "./architecture.ts";

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
