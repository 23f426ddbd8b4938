/**
 * Faces: detection, 68 landmarks and identity descriptors. The networks run in a Deno Worker
 * with its own TensorFlow.js engine on the stock `wasm` backend, so that they never disturb the
 * backend that trains, and several analyzers use several cores. What crosses to the worker is
 * already reduced to what a network reads, so messages stay under a megabyte.
 *
 * @module
 */
import { besideUrl } from "../pipeline/core/beside.ts";
import { F, type TaskEither, TE } from "../pipeline/core/fp.ts";
import type { Err } from "../pipeline/core/errors.ts";
import type { Image, Landmarks } from "../pipeline/core/image.ts";
import { type Rect, resample } from "../pipeline/core/resample.ts";
import { type Ask, failure, startWorker } from "./face_line.ts";

/** One face that the detector found: box and landmarks in pixels of the picture. */
export interface DetectedFace {
  /** Where it is. */
  readonly box: Rect;
  /** Confidence of the detector, 0 to 1. */
  readonly score: number;
  /** 68 points. // [68, 2] */
  readonly landmarks: Landmarks;
}

/** How faces are looked for. */
export interface DetectOptions {
  /** "tiny" is quick; "ssd" is the careful fallback, about five times slower. Default "tiny". */
  readonly detector?: "tiny" | "ssd";
  /**
   * The longer side in pixels to which the picture is reduced for "tiny", a multiple of 32;
   * default 224. Use 416 where faces are small in the picture. "ssd" always reads 512.
   */
  readonly inputSize?: number;
  /** Faces with a lower score are not reported. Default 0.3. */
  readonly scoreThreshold?: number;
  /** At most so many faces, the best first. Default 8. */
  readonly limit?: number;
}

/** The face networks, loaded and ready. Calls may overlap; the worker answers them in order. */
export interface FaceAnalyzer {
  /** Finds faces, best first; none is an empty list, not an error. */
  readonly detect: (
    image: Image,
    options?: DetectOptions,
  ) => TaskEither<Err<"Backend">, readonly DetectedFace[]>;
  /** The 68 landmarks of the face in that box, in pixels of the picture. // [68, 2] */
  readonly landmarks: (image: Image, box: Rect) => TaskEither<Err<"Backend">, Landmarks>;
  /**
   * A descriptor of the identity, for cosine similarity (CSIM); distances between two people
   * are above about 0.6. // [128]
   */
  readonly descriptor: (
    image: Image,
    landmarks: Landmarks,
  ) => TaskEither<Err<"Backend">, Float32Array>;
  /** Stops the worker; later calls fail with a value. The process can exit afterwards. */
  readonly close: () => Promise<void>;
}

const SSD_INPUT = 512;

const LANDMARK_INPUT = 112;

const DESCRIPTOR_INPUT = 150;

const whole = (image: Image): Rect => ({ x: 0, y: 0, width: image.width, height: image.height });

/** The request's picture with its longer side at `longer` pixels. */
const reduce = (image: Image, rect: Rect, longer: number): Image => {
  const scale = longer / Math.max(rect.width, rect.height);
  return resample(
    image,
    rect,
    Math.max(1, Math.round(rect.width * scale)),
    Math.max(1, Math.round(rect.height * scale)),
  );
};

const picture = ({ width, height, data }: Image) => ({ width, height, data });

const usable = (rect: Rect): boolean =>
  rect.width >= 1 && rect.height >= 1 && Number.isFinite(rect.x + rect.y);

const findLandmarks =
  (ask: Ask) => (image: Image, box: Rect): TaskEither<Err<"Backend">, Landmarks> =>
    usable(box)
      ? F.pipe(
        ask({ kind: "landmarks", ...picture(reduce(image, box, LANDMARK_INPUT)) }),
        TE.map((relative) =>
          relative.map((v, i) => i % 2 === 0 ? box.x + v * box.width : box.y + v * box.height)
        ),
      )
      : TE.left(failure(
        "landmarks",
        `the box is ${JSON.stringify(box)}, expected a finite one of at least 1 pixel`,
      ));

const detectFaces = (
  ask: Ask,
) =>
(image: Image, options: DetectOptions = {}): TaskEither<
  Err<"Backend">,
  readonly DetectedFace[]
> => {
  const { detector = "tiny", inputSize = 224, scoreThreshold = 0.3, limit = 8 } = options;
  const longer = detector === "ssd" ? SSD_INPUT : inputSize;
  const scale = Math.max(image.width, image.height) / longer;
  return F.pipe(
    ask({
      kind: detector,
      inputSize: longer,
      scoreThreshold,
      limit,
      ...picture(reduce(image, whole(image), longer)),
    }),
    TE.map((flat) =>
      Array.from({ length: flat.length / 5 }, (_, i) => {
        const [x, y, width, height, score] = flat.subarray(5 * i, 5 * i + 5);
        return {
          score: score!,
          box: { x: x! * scale, y: y! * scale, width: width! * scale, height: height! * scale },
        };
      })
    ),
    TE.map((faces) => faces.filter(({ box }) => usable(box))),
    TE.chain(TE.traverseSeqArray((face) =>
      F.pipe(
        findLandmarks(ask)(image, face.box),
        TE.map((landmarks): DetectedFace => ({ ...face, landmarks })),
      )
    )),
  );
};

const mean = (landmarks: Landmarks, from: number, to: number): readonly [number, number] => {
  let x = 0, y = 0;
  for (let i = from; i < to; i++) {
    x += landmarks[2 * i]! / (to - from);
    y += landmarks[2 * i + 1]! / (to - from);
  }
  return [x, y];
};

/** The square on which the descriptor network was trained: eyes and mouth at fixed places. */
const descriptorSquare = (landmarks: Landmarks): Rect => {
  const left = mean(landmarks, 36, 42), right = mean(landmarks, 42, 48);
  const mouth = mean(landmarks, 48, 68);
  const toMouth = ([x, y]: readonly [number, number]) => Math.hypot(x - mouth[0], y - mouth[1]);
  const side = (toMouth(left) + toMouth(right)) / 2 / 0.45;
  return {
    x: (left[0] + right[0] + mouth[0]) / 3 - 0.5 * side,
    y: (left[1] + right[1] + mouth[1]) / 3 - 0.43 * side,
    width: side,
    height: side,
  };
};

const describe = (ask: Ask) =>
(
  image: Image,
  landmarks: Landmarks,
): TaskEither<Err<"Backend">, Float32Array> => {
  const square = descriptorSquare(landmarks);
  return usable(square)
    ? ask({
      kind: "descriptor",
      ...picture(resample(image, square, DESCRIPTOR_INPUT, DESCRIPTOR_INPUT)),
    })
    : TE.left(failure("descriptor", "the landmarks span no face, expected eyes above a mouth"));
};

/**
 * Starts a worker and loads the detector and the landmark network (the careful detector and the
 * descriptor network on first use). About 150 MB and one core each; call `close` when done.
 *
 * @example
 * ```ts no-eval
 * const analyzer = await createFaceAnalyzer()();
 * ```
 */
export const createFaceAnalyzer = (
  worker: URL = besideUrl("face_worker", import.meta.url),
): TaskEither<Err<"Backend">, FaceAnalyzer> =>
  F.pipe(
    TE.fromIO(() => startWorker(worker)),
    TE.chainFirst(({ ask, stop }) =>
      F.pipe(
        ask({ kind: "load" }),
        TE.mapLeft((error) => {
          stop();
          return error;
        }),
      )
    ),
    TE.map(({ ask, stop }) => ({
      detect: detectFaces(ask),
      landmarks: findLandmarks(ask),
      descriptor: describe(ask),
      close: () => {
        stop();
        return Promise.resolve();
      },
    })),
  );
