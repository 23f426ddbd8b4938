/**
 * Files of VGG19 and VGGFace: what they must hold for the taps that are wanted, and the network that
 * they make.
 *
 * @module
 */
import type { HasBackend } from "../../pipeline/core/env.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { E, F, RTE, TE } from "../../pipeline/core/fp.ts";
import type { FeatureNetwork } from "./network.ts";
import { createVgg, type VggArchitecture, type VggPooling, vggShapes, vggTaps } from "./vgg.ts";
import {
  readWeightFile,
  type WeightArrays,
  type WeightFile,
  weightsRefusal,
} from "./weight_file.ts";

// Keras calls them block1_conv1/kernel; ours is conv1_1/kernel. The head is known and not used.
const ownName = (name: string): string =>
  name.replace(/^block(\d+)_conv(\d+)\//, "conv$1_$2/").replace(/:0$/, "");
const isHead = (name: string): boolean => /^(fc\d|predictions|classifier)/.test(name);

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((side, i) => side === b[i]);

/** Why these arrays are not the weights that the taps need, in words; undefined where they are. */
const problemOf = (
  architecture: VggArchitecture,
  file: ReadonlyMap<string, readonly number[]>,
  taps: readonly string[],
): string | undefined => {
  const whole = vggShapes(architecture, vggTaps(architecture));
  const list = (names: readonly string[]): string =>
    names.length > 3
      ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`
      : names.join(", ");
  const extra = [...file.keys()].filter((name) => !whole.has(ownName(name)) && !isHead(name));
  if (extra.length > 0) {
    return `it holds ${list(extra)}, expected only layers of ${architecture.name}`;
  }
  for (const [name, shape] of file) {
    const expected = whole.get(ownName(name));
    if (expected && !same(shape, expected)) {
      return `${name} is [${shape}], expected [${expected}] for ${architecture.name}`;
    }
  }
  const there = new Set([...file.keys()].map(ownName));
  const missing = [...vggShapes(architecture, taps).keys()].filter((name) => !there.has(name));
  return missing.length === 0
    ? undefined
    : `it lacks ${list(missing)}, expected all layers of ${architecture.name} up to ${
      taps.join(", ")
    }`;
};

/** The means that the file says its network was trained with, else the published ones. */
const trainedOn = (
  architecture: VggArchitecture,
  { path, metadata }: WeightFile,
): E.Either<Err<"BadFile">, VggArchitecture> => {
  const { means: text, network } = metadata;
  const known = network === undefined || network === architecture.name.toLowerCase();
  if (!known) {
    return E.left(weightsRefusal(path, `it is ${network}, expected ${architecture.name}`));
  }
  const [blue, green, red, ...more] = text?.split(",").map(Number) ?? architecture.means;
  return blue !== undefined && green !== undefined && red !== undefined && more.length === 0 &&
      [blue, green, red].every(Number.isFinite)
    ? E.right({ ...architecture, means: [blue, green, red] })
    : E.left(weightsRefusal(path, `its means are "${text}", expected three numbers`));
};

/** The arrays by names of ours, and the network that they belong to. */
const checked = (
  architecture: VggArchitecture,
  taps: readonly string[],
) =>
(
  file: WeightFile,
): E.Either<
  Err<"BadFile">,
  { readonly arrays: WeightArrays; readonly trained: VggArchitecture }
> => {
  const problem = problemOf(architecture, file.shapes, taps);
  return problem !== undefined
    ? E.left(weightsRefusal(file.path, problem))
    : E.map((trained: VggArchitecture) => ({
      arrays: new Map([...file.arrays].map(([name, array]) => [ownName(name), array])),
      trained,
    }))(trainedOn(architecture, file));
};

/**
 * Loads a VGG up to the deepest tap: from a safetensors file that `weights convert` wrote, or from a
 * TensorFlow.js manifest (its path, or its folder) with Keras' names. Fails with `BadFile` where a layer is missing, foreign or of another shape.
 */
export const loadVgg = (
  architecture: VggArchitecture,
  path: string,
  taps: readonly string[],
  pooling: VggPooling = "max",
): RTE.ReaderTaskEither<HasBackend, Err<"BadFile" | "Backend" | "DeviceLost">, FeatureNetwork> => {
  const needed = vggShapes(architecture, taps);
  return ({ backend }) =>
    F.pipe(
      readWeightFile(path, { wanted: (name) => needed.has(ownName(name)) }),
      TE.flatMapEither(checked(architecture, taps)),
      TE.flatMap(({ arrays, trained }) =>
        backend.run(
          `loading of ${architecture.name}`,
          () => createVgg(trained, arrays, taps, pooling),
        )
      ),
    );
};
