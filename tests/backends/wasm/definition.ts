/** What a convolution and its gradients are, in double precision. */
import type { ConvolutionShape } from "../../../backends/wasm/plan.ts";

/** y, dx and dfilter as the definition of the convolution says. */
export const convolutionByDefinition = (
  shape: ConvolutionShape,
  { x, filter, bias, dy }: {
    readonly x: Float32Array;
    readonly filter: Float32Array;
    readonly bias: Float32Array;
    readonly dy: Float32Array;
  },
): Readonly<Record<"y" | "dx" | "dfilter", Float64Array>> => {
  const { batch, height, width, inputs, outputs, size } = shape, edge = (size - 1) / 2;
  const y = new Float64Array(dy.length), dx = new Float64Array(x.length);
  const dfilter = new Float64Array(filter.length);
  y.forEach((_, i) => y[i] = bias[i % outputs] ?? NaN);
  for (let image = 0; image < batch; image++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const to = ((image * height + i) * width + j) * outputs;
        for (let tap = 0; tap < size * size; tap++) {
          const row = i + Math.floor(tap / size) - edge, column = j + tap % size - edge;
          if (row < 0 || column < 0 || row >= height || column >= width) continue;
          const from = ((image * height + row) * width + column) * inputs;
          for (let c = 0; c < inputs; c++) {
            const value = x[from + c] as number, at = (tap * inputs + c) * outputs;
            let back = 0;
            for (let o = 0; o < outputs; o++) {
              const weight = filter[at + o] as number, above = dy[to + o] as number;
              y[to + o] = (y[to + o] as number) + value * weight;
              back += above * weight;
              dfilter[at + o] = (dfilter[at + o] as number) + value * above;
            }
            dx[from + c] = (dx[from + c] as number) + back;
          }
        }
      }
    }
  }
  return { y, dx, dfilter };
};
