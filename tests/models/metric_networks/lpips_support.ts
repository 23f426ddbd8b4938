/** LPIPS with hashed weights, under the names of published files; as `golden/lpips.py` makes them. */
import {
  lpipsChannels,
  type LpipsTrunk,
  lpipsTrunks,
} from "../../../models/metric_networks/lpips.ts";
import { fill } from "../hashed.ts";
import type { Floats } from "../weights/writers.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The trunk as torchvision's file has it, without its classifier. */
export const trunkFile = (trunk: LpipsTrunk): Floats =>
  Object.fromEntries(
    lpipsTrunks[trunk].convolutions.flatMap(({ at, shape: [height, width, from, to] }) => {
      const kernel = `features.${at}.weight`, bias = `features.${at}.bias`;
      const shape = [to, from, height, width], gain = Math.sqrt(6 / sizeOf(shape.slice(1)));
      return [
        [kernel, {
          shape,
          data: fill(`${trunk}/${kernel}`, sizeOf(shape)).map((x) => gain * x),
        }],
        [bias, { shape: [to], data: fill(`${trunk}/${bias}`, to).map((x) => 0.1 * x) }],
      ];
    }),
  );

/** The weights of layers as their file has them: between 0 and 1. */
export const layersFile = (trunk: LpipsTrunk): Floats =>
  Object.fromEntries(
    lpipsChannels(lpipsTrunks[trunk]).map((channels, i) => {
      const name = `lin${i}.model.1.weight`;
      const data = fill(`${trunk}/${name}`, channels).map((x) => (x + 1) / 2);
      return [name, { shape: [1, channels, 1, 1], data }];
    }),
  );

/** Where the `lpips` package has the layers of torchvision's list when it saves the whole network. */
export const wholeFile = (trunk: LpipsTrunk): Floats => {
  const slices = lpipsTrunks[trunk].convolutions.map(({ at, slice }) => [at, slice] as const);
  const renamed = Object.entries(trunkFile(trunk)).map(([name, tensor]) => {
    const [, at = "", leaf = ""] = /^features\.(\d+)\.(\w+)$/.exec(name) ?? [];
    const slice = slices.find(([place]) => place === Number(at))?.[1] ?? 0;
    return [`net.slice${slice + 1}.${at}.${leaf}`, tensor] as const;
  });
  const lins = Object.entries(layersFile(trunk));
  return Object.fromEntries([
    ["scaling_layer.shift", { shape: [1, 3, 1, 1], data: Float32Array.of(-0.03, -0.088, -0.188) }],
    ["scaling_layer.scale", { shape: [1, 3, 1, 1], data: Float32Array.of(0.458, 0.448, 0.45) }],
    ...renamed,
    ...lins,
    ...lins.map(([name, tensor]) => [name.replace(/^lin(\d)/, "lins.$1"), tensor] as const),
  ]);
};
