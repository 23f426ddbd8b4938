/**
 * The published networks that are recognised, in the dialects in which they are found.
 *
 * @module
 */
import type { HostTensor } from "../../pipeline/core/elements.ts";
import { inceptionConvolutions } from "../metric_networks/inception.ts";
import { mobileFaceShapes } from "../metric_networks/mobileface.ts";
import { vgg19, type VggArchitecture, vggFace, vggShapes, vggTaps } from "../perceptual/vgg.ts";
import {
  type Dialect,
  filtersOf,
  floats,
  type Part,
  type PublishedNetwork,
  type Rule,
} from "./architecture.ts";
import { affineOf, foldNorm, normParts } from "./batch_norm.ts";
import { arcFaceDialects } from "./published_arcface.ts";
import { lpipsDialects } from "./published_lpips.ts";

const reversed = (shape: readonly number[]): readonly number[] => {
  const [height = 1, width = 1, from = 1, to = 1] = shape;
  return [to, from, height, width];
};

/** A rule for one tensor of ours. */
const single = (
  own: string,
  part: Part,
  make: (tensor: HostTensor) => HostTensor = (tensor) => floats(tensor, tensor.shape),
): Rule => ({
  parts: [part],
  make: ([tensor]) => tensor ? [[own, make(tensor)]] : [],
});

/** The convolutions of a VGG: names of ours, where they stand in a list with ReLUs and pooling. */
const convolutionsOf = (architecture: VggArchitecture) => {
  const shapes = vggShapes(architecture, vggTaps(architecture));
  let position = 0;
  return architecture.convolutions.flatMap((count, block) => {
    const rows = Array.from({ length: count }, (_, c) => {
      const own = `conv${block + 1}_${c + 1}`;
      const at = position;
      position += 2; // a convolution and its ReLU
      return { own, at, block: block + 1, c: c + 1, shape: shapes.get(`${own}/kernel`) ?? [] };
    });
    position += 1; // the pooling
    return rows;
  });
};
type VggRow = ReturnType<typeof convolutionsOf>[number];

const vggRules = (
  architecture: VggArchitecture,
  names: (row: VggRow) => readonly [kernel: string, bias: string],
  transposed: boolean,
): readonly Rule[] =>
  convolutionsOf(architecture).flatMap((row) => {
    const [kernel, bias] = names(row);
    return [
      transposed
        ? single(`${row.own}/kernel`, { name: kernel, shape: reversed(row.shape) }, filtersOf)
        : single(`${row.own}/kernel`, { name: kernel, shape: row.shape }),
      single(`${row.own}/bias`, { name: bias, shape: row.shape.slice(3) }),
    ];
  });

const isVggHead = (name: string): boolean => /^(fc\d|predictions|classifier|prob)/.test(name);

const vggDialects = (architecture: VggArchitecture): readonly Dialect[] => {
  const rules = (
    names: (row: VggRow) => readonly [string, string],
    transposed = true,
  ) => vggRules(architecture, names, transposed);
  const unused = isVggHead;
  return [
    {
      name: "Headshot",
      unused,
      rules: rules(({ own }) => [`${own}/kernel`, `${own}/bias`], false),
    },
    { name: "Caffe", unused, rules: rules(({ own }) => [`${own}/0`, `${own}/1`]) },
    {
      name: "Keras",
      unused,
      rules: rules(({ block, c }) => {
        const at = `block${block}_conv${c}`;
        return [`${at}/kernel`, `${at}/bias`];
      }, false),
    },
    {
      name: "PyTorch with the names of Caffe",
      unused,
      rules: rules(({ own }) => [`${own}.weight`, `${own}.bias`]),
    },
    {
      name: "PyTorch, numbered",
      unused: (name) => isVggHead(name) || /classifier\./.test(name),
      ambiguous: true,
      rules: rules(({ at }) => [`${at}.weight`, `${at}.bias`]),
    },
  ];
};

const headOf = (
  shapeOf: (name: string) => readonly number[] | undefined,
): number | undefined => {
  for (const name of ["fc8/0", "fc8.weight", "classifier.6.weight"]) {
    const shape = shapeOf(name)?.filter((side) => side > 1);
    if (shape) return shape[0];
  }
  return undefined;
};

const means = ({ means: values }: VggArchitecture) => ({ means: values.join(",") });

const inceptionDialects: readonly Dialect[] = [
  {
    name: "Headshot",
    unused: () => false,
    rules: inceptionConvolutions.flatMap(({ name, shape }) => [
      single(`${name}/kernel`, { name: `${name}/kernel`, shape }),
      single(`${name}/bias`, { name: `${name}/bias`, shape: shape.slice(3) }),
    ]),
  },
  {
    name: "PyTorch",
    unused: (name) => /^fc\.|num_batches_tracked$/.test(name),
    rules: inceptionConvolutions.map(({ name, shape }): Rule => ({
      parts: [
        { name: `${name}.conv.weight`, shape: reversed(shape) },
        ...normParts(`${name}.bn`, shape[3]),
      ],
      make: ([kernel, ...norm]) => foldNorm(name, kernel, affineOf(norm, 1e-3)),
    })),
  },
];

/** Names of MobileFace in the TensorFlow.js graph that was made from its MXNet file. */
const graphName = (own: string): string =>
  own
    .replace(/^conv1\/kernel$/, "conv1_weight")
    .replace(/^conv1\/slope$/, "prelu1_gamma")
    .replace(/^stage(\d)\/widen\/kernel$/, "stage$1_unit1_conv0_0_weight")
    .replace(/^stage(\d)\/depthwise0\/kernel$/, "stage$1_unit1_conv0_1_df")
    .replace(/^stage(\d)\/depthwise(\d)\/kernel$/, "stage$1_unit1_conv$2_df")
    .replace(/^stage(\d)\/depthwise(\d)\/slope$/, "stage$1_unit1_prelu$2_gamma")
    .replace(/^dense\/gain$/, "batchnorm0/mul")
    .replace(/^dense\/bias$/, "batchnorm0/sub");

const mobileFaceDialects: readonly Dialect[] = [
  { name: "Headshot", nameOf: (own: string) => own },
  { name: "TensorFlow.js", nameOf: graphName },
].map(({ name, nameOf }) => ({
  name,
  unused: (other: string) => /^(Maximum|Minimum|Pad|flatten|minusscalar|mulscalar)/.test(other),
  rules: [...mobileFaceShapes].map(([own, shape]) => single(own, { name: nameOf(own), shape })),
}));

/** All of them. */
export const publishedNetworks: readonly PublishedNetwork[] = [
  {
    name: "vgg19",
    title: "VGG19",
    serves: "content loss (paper-256)",
    partial: true,
    dialects: vggDialects(vgg19).map((dialect) => ({ ...dialect, metadata: means(vgg19) })),
    imposter: (shapeOf) =>
      (headOf(shapeOf) ?? 1000) === 1000
        ? undefined
        : "its classifier is not that of ImageNet, expected VGG19 trained on ImageNet",
  },
  {
    name: "vggface",
    title: "VGGFace",
    serves: "content loss (paper-256)",
    partial: true,
    dialects: vggDialects(vggFace).map((dialect) => ({ ...dialect, metadata: means(vggFace) })),
    imposter: (shapeOf) =>
      headOf(shapeOf) === 1000
        ? "its classifier knows 1000 things, so it is VGG16 trained on ImageNet, expected VGGFace " +
          "with 2622 people"
        : undefined,
  },
  {
    name: "inception",
    title: "Inception v3 of FID",
    serves: "FID",
    partial: false,
    dialects: inceptionDialects,
    imposter: (shapeOf) => {
      const classes = shapeOf("fc.weight")?.[0] ?? 1008;
      return classes === 1008 && !shapeOf("AuxLogits.conv0.conv.weight") ? undefined : (
        `its classifier has ${classes} classes or a second one, so it is Inception v3 of 2016, ` +
        "expected the one of FID (pt_inception-2015-12-05, 1008 classes)"
      );
    },
  },
  {
    name: "mobileface",
    title: "MobileFace",
    serves: "CSIM",
    partial: false,
    dialects: mobileFaceDialects,
  },
  {
    name: "arcface",
    title: "ArcFace",
    serves: "CSIM (the paper's)",
    partial: false,
    dialects: arcFaceDialects,
  },
  {
    name: "lpips",
    title: "LPIPS (a trunk and the weights of its layers)",
    serves: "LPIPS",
    partial: false,
    dialects: lpipsDialects,
  },
];

/** The names of the recognised networks. */
export const publishedNames: readonly string[] = publishedNetworks.map(({ name }) => name);
