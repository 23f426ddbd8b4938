/**
 * From a person to frames: the generator with everything folded that does not change from frame to
 * frame, spectral norms into the kernels, ψ′ into the gains and biases of the norms, so that
 * driving runs convolutions and norms only (section 3.3).
 *
 * @module
 */
import { halfFilter } from "../../backends/ops.ts";
import { tf } from "../../backends/tf.ts";
import type { Architecture } from "../../models/architecture.ts";
import { type Affines, generateFolded, splitCoefficients } from "../../models/generator.ts";
import { plainWeights, type Tensors } from "../../models/parameters.ts";
import { rasterizeLandmarks } from "../../datasets/rasterize.ts";
import type { HasBackend } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { Image, Landmarks } from "../core/image.ts";
import { type Owned, upload } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";
import { imagesToTensor, tensorToImages } from "./device_batch.ts";
import { uploadTensors } from "./host_tensors.ts";
import { modelOf, type Person, type RasterizerSettings } from "./person.ts";

/** A person on the device, ready to be driven: tensors that its owner disposes. */
export interface PersonRenderer {
  /** Sizes of the generator. */
  readonly architecture: Architecture;
  /** Kernels and biases, `G/…`. */
  readonly weights: Tensors;
  /** Gain and bias of every AdaIN layer. // [1, C] */
  readonly affines: Affines;
  /** How landmarks are drawn for this person. */
  readonly rasterizer: RasterizerSettings;
}

/** How the kernels of convolutions lie on the device; the arithmetic is f32 with both. */
export const kernelStorages = ["f32", "f16"] as const;
/** One of {@link kernelStorages}. */
export type KernelStorage = typeof kernelStorages[number];

const stored = (storage: KernelStorage, weights: Tensors): Tensors =>
  storage === "f32" ? weights : Object.fromEntries(
    Object.entries(weights).map((
      [name, tensor],
    ) => [name, tensor.rank === 4 ? halfFilter(tensor) : tensor]),
  );

/**
 * Puts a person on the device with its kernels stored so; the caller owns it. In f16 they take half
 * the memory and move a frame by hardly a level of 255. Errors: those of the backend,
 * and `Backend` for f16 where it has f32 alone (all but webgpu).
 */
export const openPersonIn = (
  storage: KernelStorage,
): Stage<HasBackend, Err<"Backend" | "DeviceLost">, Person, Owned<PersonRenderer>> =>
  upload("a person", (person: Person): PersonRenderer => {
    const { architecture, gain } = modelOf(person);
    const coefficients = tf.tensor2d(person.coefficients, [1, person.coefficients.length]);
    return {
      architecture,
      weights: stored(storage, uploadTensors(person.generator)),
      affines: splitCoefficients(coefficients, architecture, gain),
      rasterizer: person.rasterizer,
    };
  });

/** Puts a person on the device; the caller owns it. Errors: those of the backend. */
export const openPerson: Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  Person,
  Owned<PersonRenderer>
> = openPersonIn("f32");

/**
 * Landmark images → frames of the person, as many and in the same order; one batch, so give at
 * most a few dozen at once. Errors: those of the backend. // S×S pictures → S×S pictures
 */
export const renderMaps = (
  person: Owned<PersonRenderer>,
): Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  readonly Image[],
  readonly Image[]
> =>
(maps) =>
({ backend }) =>
async () => {
  if (maps.length === 0) return E.right([]);
  const { architecture, weights, affines } = person.value;
  const made = await backend.run(
    "frames of a person",
    () => generateFolded(plainWeights(weights), architecture, imagesToTensor(maps), affines),
  )();
  if (E.isLeft(made)) return made;
  const read = await backend.read("frames of a person", () => made.right.data<"float32">())();
  backend.dispose(made.right);
  return E.isLeft(read) ? read : E.right(tensorToImages(read.right, architecture.size));
};

/** The landmark image that a person's generator reads. // [68, 2] in pixels of the crop → S×S */
export const drawFor = (
  { size, thickness }: RasterizerSettings,
  landmarks: Landmarks,
): Image => rasterizeLandmarks(landmarks, size, { thickness });

/**
 * Landmarks, in pixels of the S×S crop, → frames of the person, as many and in the same order.
 * Errors: those of the backend.
 *
 * @example
 * ```ts
 * import { F, RTE } from "../core/fp.ts";
 * import type { Landmarks } from "../core/image.ts";
 * import type { Person } from "./person.ts";
 * import { openPerson, renderLandmarks } from "./render.ts";
 *
 * const paint = (person: Person, track: readonly Landmarks[]) =>
 *   F.pipe(openPerson(person), RTE.flatMap((ada) => renderLandmarks(ada)(track)));
 * if (paint.length !== 2) throw new Error("unexpected");
 * ```
 */
export const renderLandmarks = (
  person: Owned<PersonRenderer>,
): Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  readonly Landmarks[],
  readonly Image[]
> =>
(track) =>
  renderMaps(person)(track.map((landmarks) => drawFor(person.value.rasterizer, landmarks)));
