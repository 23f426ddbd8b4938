/**
 * The worker side of `face.ts`, and the only file that names the face packages. One request, one
 * reply; all pictures arrive at the size that a network reads.
 *
 * @module
 */
import "./tf.ts"; // the face package requires TensorFlow.js by name: it must be in the graph
import { type FindLandmarks, makeLandmarkNetwork } from "./face_landmarks.ts";
import * as packaged from "npm:@vladmandic/face-api@1.7.15/dist/face-api.node-wasm.js";

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What the worker is asked; `id` comes back with the reply. */
export type FaceRequest =
  & { readonly id: number }
  & (
    | { readonly kind: "load" }
    | ({
      readonly kind: "tiny" | "ssd";
      readonly inputSize: number;
      readonly scoreThreshold: number;
      readonly limit: number;
    } & Picture)
    | ({ readonly kind: "landmarks" | "descriptor" } & Picture)
  );

/**
 * Detections: x, y, width, height, score in pixels of the request's picture, best first.
 * Landmarks: x, y as parts of it. // [68, 2]
 */
export type FaceReply =
  | { readonly id: number; readonly values: Float32Array; readonly error?: undefined }
  | { readonly id: number; readonly error: string };

interface Disposable {
  readonly dispose: () => void;
}
interface Detection {
  readonly score: number;
  readonly box: Readonly<Record<"x" | "y" | "width" | "height", number>>;
}
interface Weight {
  readonly path: string;
  readonly tensor: { readonly data: () => Promise<Float32Array> };
}
interface Net {
  readonly isLoaded: boolean;
  readonly loadFromDisk: (path: string) => Promise<void>;
  readonly getParamList: () => readonly Weight[];
}
/** The part of the package that is used, typed here: its own types name every TensorFlow.js. */
interface FaceApi {
  readonly tf: {
    readonly setBackend: (name: string) => Promise<boolean>;
    readonly tensor3d: (
      data: Int32Array,
      shape: readonly [number, number, number],
      dtype: "int32",
    ) => Disposable;
  };
  readonly nets: {
    readonly tinyFaceDetector: Net & {
      locateFaces: (x: Disposable, options: unknown) => Promise<Detection[]>;
    };
    readonly ssdMobilenetv1: Net & {
      locateFaces: (x: Disposable, options: unknown) => Promise<Detection[]>;
    };
    /** Only its weights are used: see `face_landmarks.ts`. */
    readonly faceLandmark68Net: Net & {
      readonly faceFeatureExtractor: Pick<Net, "getParamList">;
      readonly dispose: () => void;
    };
    readonly faceRecognitionNet: Net & {
      computeFaceDescriptor: (x: Disposable) => Promise<Float32Array>;
    };
  };
  readonly TinyFaceDetectorOptions: new (
    options: { inputSize: number; scoreThreshold: number },
  ) => unknown;
  readonly SsdMobilenetv1Options: new (
    options: { minConfidence: number; maxResults: number },
  ) => unknown;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<FaceRequest>) => void;
  postMessage: (reply: FaceReply) => void;
};
const faceApi = (packaged as unknown as { readonly default: FaceApi }).default;
const weights = new URL(
  "../model",
  import.meta.resolve("npm:@vladmandic/face-api@1.7.15/dist/face-api.node-wasm.js"),
);

const loaded = async <N extends Net>(net: N): Promise<N> => {
  if (!net.isLoaded) await net.loadFromDisk(decodeURIComponent(weights.pathname));
  return net;
};

const withTensor = async <A>(
  { width, height, data }: Picture,
  use: (x: Disposable) => Promise<A>,
): Promise<A> => {
  const x = faceApi.tf.tensor3d(new Int32Array(data), [height, width, 3], "int32");
  try {
    return await use(x);
  } finally {
    x.dispose();
  }
};

/** The landmark network, from the package's weights. */
const loadLandmarkNetwork = async (): Promise<FindLandmarks> => {
  const net = await loaded(faceApi.nets.faceLandmark68Net);
  const layers = [...net.getParamList(), ...net.faceFeatureExtractor.getParamList()];
  const weights = new Map(
    await Promise.all(layers.map(async ({ path, tensor }) => [path, await tensor.data()] as const)),
  );
  net.dispose();
  return makeLandmarkNetwork((name) => {
    const values = weights.get(name);
    if (values === undefined) throw new Error(`the landmark network has no ${name}`);
    return values;
  });
};
let landmarkNetwork: Promise<FindLandmarks> | undefined;

const answer = async (request: FaceRequest): Promise<Float32Array> => {
  const { nets } = faceApi;
  switch (request.kind) {
    case "load":
      if (!await faceApi.tf.setBackend("wasm")) throw new Error("no wasm backend");
      await loaded(nets.tinyFaceDetector);
      await (landmarkNetwork ??= loadLandmarkNetwork());
      return new Float32Array(0);
    case "tiny":
    case "ssd": {
      const { inputSize, scoreThreshold, limit } = request;
      const [net, options] = request.kind === "tiny"
        ? [
          nets.tinyFaceDetector,
          new faceApi.TinyFaceDetectorOptions({ inputSize, scoreThreshold }),
        ]
        : [
          nets.ssdMobilenetv1,
          new faceApi.SsdMobilenetv1Options({ minConfidence: scoreThreshold, maxResults: limit }),
        ];
      await loaded(net);
      const found = await withTensor(request, (x) => net.locateFaces(x, options));
      const best = found.toSorted((a, b) => b.score - a.score).slice(0, limit);
      return Float32Array.from(
        best.flatMap(({ box, score }) => [box.x, box.y, box.width, box.height, score]),
      );
    }
    case "landmarks":
      return (await (landmarkNetwork ??= loadLandmarkNetwork()))(request);
    case "descriptor": {
      const net = await loaded(nets.faceRecognitionNet);
      return await withTensor(request, (x) => net.computeFaceDescriptor(x));
    }
  }
};

// One after the other: two nets at once on one thread only interleave their awaits.
let last: Promise<void> = Promise.resolve();
scope.onmessage = ({ data: request }) => {
  last = last.then(() => answer(request)).then(
    (values) => scope.postMessage({ id: request.id, values }),
    (error: unknown) => scope.postMessage({ id: request.id, error: String(error) }),
  );
};
