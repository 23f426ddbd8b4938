/**
 * LPIPS as it is published: torchvision's trunk in one file and the learnt weights of the layers in
 * another one, which are read together, or both as the `lpips` package saves its whole network.
 *
 * @module
 */
import {
  lpipsChannels,
  lpipsShapes,
  type LpipsTrunk,
  lpipsTrunks,
  type Trunk,
  type TrunkConvolution,
} from "../metric_networks/lpips.ts";
import { type Dialect, filtersOf, floats, type Rule } from "./architecture.ts";

/** Filters and bias of every convolution, then the five weights of layers. */
const publishedRules = (
  trunk: Trunk,
  nameOf: (convolution: TrunkConvolution) => string,
): readonly Rule[] => [
  ...trunk.convolutions.flatMap((convolution): readonly Rule[] => {
    const { name, shape: [height, width, from, to] } = convolution, at = nameOf(convolution);
    return [{
      parts: [{ name: `${at}.weight`, shape: [to, from, height, width] }],
      make: ([filters]) => filters ? [[`${name}/kernel`, filtersOf(filters)]] : [],
    }, {
      parts: [{ name: `${at}.bias`, shape: [to] }],
      make: ([bias]) => bias ? [[`${name}/bias`, floats(bias, [to])]] : [],
    }];
  }),
  ...lpipsChannels(trunk).map((channels, i): Rule => ({
    parts: [{ name: `lin${i}.model.1.weight`, shape: [1, channels, 1, 1] }],
    make: ([weights]) => weights ? [[`lin${i}/weights`, floats(weights, [channels])]] : [],
  })),
];

const ownRules = (trunk: Trunk): readonly Rule[] =>
  [...lpipsShapes(trunk)].map(([name, shape]) => ({
    parts: [{ name, shape }],
    make: ([tensor]) => tensor ? [[name, floats(tensor, shape)]] : [],
  }));

/** LPIPS with either trunk, as published and as ours. */
export const lpipsDialects: readonly Dialect[] = (Object.keys(lpipsTrunks) as LpipsTrunk[]).flatMap(
  (name): readonly Dialect[] => {
    const trunk = lpipsTrunks[name], metadata = { trunk: name };
    return [
      {
        name: `PyTorch, ${trunk.title} of torchvision with the weights of layers`,
        rules: publishedRules(trunk, ({ at }) => `features.${at}`),
        unused: (other) => other.startsWith("classifier."),
        metadata,
      },
      {
        name: `PyTorch, the whole network with ${trunk.title}`,
        rules: publishedRules(trunk, ({ at, slice }) => `net.slice${slice + 1}.${at}`),
        unused: (other) => /^(scaling_layer|lins)\./.test(other),
        metadata,
      },
      { name: `Headshot, ${trunk.title}`, rules: ownRules(trunk), unused: () => false, metadata },
    ];
  },
);
