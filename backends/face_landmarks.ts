/**
 * The 68-point network on kernels of its own: every frame of every clip passes through it, and the
 * stock kernels need four times as long. Multiply-adds are fused where the engine can.
 *
 * @module
 */
import { plainFace, relaxedFace } from "./wasm/face_binary.ts";

/** Weights by the names of the package's manifest, such as "dense1/conv2/pointwise_filter". */
export type LandmarkWeights = (name: string) => Float32Array;

/** Pixels of a picture, RGB. // [height, width, 3] */
export interface LandmarkPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Finds the landmarks of a face that fills a picture: x, y as parts of it. // [68, 2] */
export type FindLandmarks = (picture: LandmarkPicture) => Float32Array;

/** Side in pixels of what the network reads. */
export const LANDMARK_INPUT = 112;

/** The means that are taken off red, green and blue. */
const MEANS = [122.782, 117.001, 104.298] as const;
/** Channels of the picture and of the four dense blocks, each of which halves the side. */
const CHANNELS = [3, 32, 64, 128, 256] as const;
const POINTS = 136;
const LAYERS = [0, 1, 2, 3] as const;

type Kernel = (...values: number[]) => void;
type KernelName = "faceConvolve" | "faceDepthwise" | "facePointwise" | "faceGather";

const decode = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

const compiled = (): WebAssembly.Module => {
  const fused = decode(relaxedFace);
  return new WebAssembly.Module(WebAssembly.validate(fused) ? fused : decode(plainFace));
};

/** A matrix [depth, columns] as panels of eight columns, each [depth, 8]. */
const panelsOf = (matrix: Float32Array, columns: number): Float32Array => {
  const depth = matrix.length / columns, panels = new Float32Array(matrix.length);
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < columns; j++) {
      panels[((j >> 3) * depth + k) * 8 + j % 8] = matrix[k * columns + j]!;
    }
  }
  return panels;
};

/** Where things lie, in bytes: handed out once, never given back. */
const makeLayout = () => {
  let end = 1024;
  return {
    take: (floats: number): number => {
      const at = end;
      end += Math.ceil(floats / 16) * 64;
      return at;
    },
    end: () => end,
  };
};

/** A picture with a border of one zero pixel. */
interface Bordered {
  readonly at: number;
  readonly row: number;
  readonly pixel: number;
}

const inside = ({ at, row, pixel }: Bordered): number => at + row + pixel;

/**
 * The picture in the middle of a square whose other pixels are black, as the network was trained;
 * less the means, from about −½ to ½. Throws where the longer side is not 112: a bug of the caller.
 */
const enter = (
  { width, height, data }: LandmarkPicture,
  to: Float32Array,
): void => {
  if (Math.max(width, height) !== LANDMARK_INPUT) {
    throw new RangeError(
      `Cannot find landmarks: the picture is ${width}×${height}, expected a longer side of ` +
        `${LANDMARK_INPUT}`,
    );
  }
  const left = Math.floor((LANDMARK_INPUT - width) / 2);
  const top = Math.floor((LANDMARK_INPUT - height) / 2);
  const [red, green, blue] = MEANS;
  for (let y = 0; y < LANDMARK_INPUT; y++) {
    let o = ((y + 1) * (LANDMARK_INPUT + 2) + 1) * 3;
    for (let x = 0; x < LANDMARK_INPUT; x++, o += 3) {
      const u = x - left, v = y - top;
      const there = u >= 0 && u < width && v >= 0 && v < height;
      const i = (v * width + u) * 3;
      to[o] = ((there ? data[i]! : 0) - red) / 255;
      to[o + 1] = ((there ? data[i + 1]! : 0) - green) / 255;
      to[o + 2] = ((there ? data[i + 2]! : 0) - blue) / 255;
    }
  }
};

/** Makes the network from its weights; about 4 MB. The function it gives is not reentrant. */
export const makeLandmarkNetwork = (weights: LandmarkWeights): FindLandmarks => {
  const { take, end } = makeLayout();
  const loads: (() => void)[] = [];
  let floats: Float32Array = new Float32Array(0); // of the memory, once its size is known
  const keep = (values: Float32Array): number => {
    const at = take(values.length);
    loads.push(() => floats.set(values, at / 4));
    return at;
  };
  const bordered = (side: number, channels: number): Bordered => ({
    at: take((side + 2) ** 2 * channels),
    row: 4 * (side + 2) * channels,
    pixel: 4 * channels,
  });
  const pixelsOf = (side: number): number => Math.ceil(side * side / 6) * 6;

  const frame = take(16);
  const picture = bordered(LANDMARK_INPUT, 3);
  const half = LANDMARK_INPUT / 2;
  const depthwise = take(pixelsOf(half) * CHANNELS[1]);
  const product = take(pixelsOf(half) * CHANNELS[1]), sum = take(pixelsOf(half) * CHANNELS[1]);
  const blocks = LAYERS.map((block) => {
    const inputs = CHANNELS[block], outputs = CHANNELS[block + 1]!;
    const side = LANDMARK_INPUT / 2 ** (block + 1);
    const layers = LAYERS.map((layer) => {
      const name = `dense${block}/conv${layer}`, whole = block === 0 && layer === 0;
      return {
        filter: whole ? 0 : keep(weights(`${name}/depthwise_filter`)),
        packed: keep(
          panelsOf(weights(`${name}/${whole ? "filters" : "pointwise_filter"}`), outputs),
        ),
        bias: keep(weights(`${name}/bias`)),
        inputs: layer === 0 ? inputs : outputs,
      };
    });
    return { inputs, outputs, side, layers, picture: bordered(side, outputs) };
  });
  const dense = weights("fc/weights"), denseBias = weights("fc/bias");

  const memory = new WebAssembly.Memory({ initial: Math.ceil(end() / 65536) });
  floats = new Float32Array(memory.buffer);
  loads.forEach((load) => load());
  const instance = new WebAssembly.Instance(compiled(), {
    env: {
      memory,
      abort: () => {
        throw new Error("Cannot run a landmark kernel: it aborted");
      },
    },
  });
  const kernels = instance.exports as unknown as Readonly<Record<KernelName, Kernel>>;

  /** The mean over the last picture, and the dense layer on it. */
  const leave = (): Float32Array => {
    const { side, outputs, picture } = blocks[3]!;
    const mean = new Float32Array(outputs);
    for (let y = 0; y < side; y++) {
      const from = (inside(picture) + y * picture.row) / 4;
      for (let i = 0; i < side * outputs; i++) mean[i % outputs]! += floats[from + i]!;
    }
    const out = Float32Array.from(denseBias);
    for (let c = 0; c < outputs; c++) {
      const value = mean[c]! / (side * side);
      for (let i = 0; i < POINTS; i++) out[i]! += value * dense[c * POINTS + i]!;
    }
    return out;
  };

  return (input) => {
    enter(input, floats.subarray(picture.at / 4));
    let from = picture;
    for (const { outputs, side, layers, picture: to } of blocks) {
      for (const [layer, { filter, packed, bias, inputs }] of layers.entries()) {
        // The reach of the first pixel of an even side at stride 2 has its border below and right.
        const start = layer === 0 ? inside(from) : from.at, stride = layer === 0 ? 2 : 1;
        if (filter === 0) {
          kernels.faceConvolve(
            ...[frame, start, from.row, inputs, packed, outputs, side, side, product],
          );
        } else {
          kernels.faceDepthwise(start, from.row, stride, filter, inputs, side, side, depthwise);
          kernels.facePointwise(
            ...[frame, depthwise, inputs, packed, outputs, pixelsOf(side) / 6, product],
          );
        }
        kernels.faceGather(
          ...[product, bias, sum, layer === 0 ? 1 : 0, outputs, side, side, inside(to), to.row],
        );
        from = to;
      }
    }
    const found = leave(), { width, height } = input;
    return found.map((v, i) => {
      const extent = i % 2 === 0 ? width : height;
      return (v * LANDMARK_INPUT - (LANDMARK_INPUT - extent) / 2) / extent;
    });
  };
};
