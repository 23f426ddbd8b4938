/**
 * Convolution, stride 1 with zero padding, and its gradients as matrix products that gather their
 * operands on the fly. The stock filter gradient is a loop of one thread per weight, and the
 * stock forward pass is slow where channels are no multiple of four.
 *
 * @module
 */
import { type Kernel, need, sides } from "./kernel.ts";
import { multiply } from "./product.ts";
import { forRows, type Lookup, storeByQuad, storeByTerm, type Tile } from "./tile.ts";

// Rows of the left matrix are positions of all images, terms (tap, channel) of what the filter
// sees there: `image` shifted by the tap. `places` keeps the line and column of each row.
const gather: Lookup = {
  setup: (tile) => `
  ${
    forRows(
      tile,
      `let position = top + row;
      let line = position / p.width;
      places[row] = select(
        vec2<i32>(-p.height - p.size, 0), // beyond the last position: outside for every tap
        vec2<i32>(line % p.height, position - line * p.width),
        position < p.rows,
      );`,
    )
  }
  workgroupBarrier();`,
  load: (tile) => `
  let k = slice + term;
  let tap = k / p.channels;
  let channel = k - tap * p.channels;
  let down = tap / p.size - p.size / 2;
  let across = tap % p.size - p.size / 2;
  let shift = (down * p.width + across) * p.channels + channel;
  ${
    storeByTerm(
      tile,
      "left",
      `let h = places[row].x + down; let w = places[row].y + across;
      if (k < end && h >= 0 && h < p.height && w >= 0 && w < p.width) {
        number = image[(top + row) * p.channels + shift];
      }`,
    )
  }`,
};

const quadOf = (condition: string, value: (j: number) => string): string =>
  [0, 1, 2, 3].map((j) => `
    if (${condition.replaceAll("#", String(j))}) { quad[${j}] = ${value(j)}; }`).join("");

const loadColumns = (tile: Tile, value: (j: number) => string): string => `
  let column = start + 4 * term;
  ${storeByQuad(tile, "right", quadOf("k < end && column + # < p.columns", value))}`;

const forward: Lookup = {
  setup: gather.setup,
  load: (tile) =>
    `${gather.load(tile)}
  { ${loadColumns(tile, (j) => `weights[k * p.columns + column + ${j}]`)} }`,
};

// Two neighbouring columns come in one number: there are always as many as two, or none.
const forwardHalves: Lookup = {
  setup: gather.setup,
  load: (tile) =>
    `${gather.load(tile)}
  {
    let column = start + 4 * term;
    ${
      storeByQuad(
        tile,
        "right",
        [0, 2].map((j) => `
    if (k < end && column + ${j} < p.columns) {
      let pair = unpack2x16float(weights[(k * p.columns + column + ${j}) / 2]);
      quad[${j}] = pair.x; quad[${j + 1}] = pair.y;
    }`).join(""),
      )
    }
  }`,
};

// The filter lies as [taps, columns, channels] here: taps backwards, its last axis summed over.
const backward: Lookup = {
  setup: gather.setup,
  load: (tile) =>
    `${gather.load(tile)}
  let mirrored = p.size * p.size - 1 - tap;
  ${
      storeByTerm(
        tile,
        "right",
        `let column = start + row;
        if (k < end && column < p.columns) {
          number = weights[(mirrored * p.columns + column) * p.channels + channel];
        }`,
      )
    }`,
};

// Rows are (tap, channel), terms positions: a thread keeps the shifts of its four rows.
const correlate: Lookup = {
  setup: () => `
  let first = top + 4 * term;
  let taps = (vec4<i32>(first) + vec4<i32>(0, 1, 2, 3)) / p.channels;
  let down = taps / p.size - p.size / 2;
  let across = taps % p.size - p.size / 2;
  let shift = (down * p.width + across - taps) * p.channels;`,
  load: (tile) => `
  ${
    storeByQuad(
      tile,
      "left",
      `let line = k / p.width;
      let h = line % p.height + down; let w = k - line * p.width + across;
      let inside = (h >= vec4<i32>(0)) & (h < vec4<i32>(p.height)) &
        (w >= vec4<i32>(0)) & (w < vec4<i32>(p.width));
      let base = k * p.channels + first;
      ${
        quadOf(
          "k < end && first + # < p.rows && inside[#]",
          (j) => `image[base + shift[${j}] + ${j}]`,
        )
      }`,
    )
  }
  ${loadColumns(tile, (j) => `dy[k * p.columns + column + ${j}]`)}`,
};

/**
 * Convolution with bias and ReLU in the same pass; the filter may be stored in halves (`half.ts`).
 * // [B, H, W, I] → [B, H, W, O]
 */
export const convolve: Kernel = (call) => {
  const image = need(call, "x"), weights = need(call, "filter");
  const half = weights.dtype === "int32";
  const [batch, height, width, channels] = sides(image), [size, , , last] = sides(weights);
  const columns = half ? 2 * last : last;
  const y = multiply(call.backend, {
    key: half ? "convolve halves" : "convolve",
    inputs: { image, weights },
    lookup: half ? forwardHalves : forward,
    rows: batch * height * width,
    columns,
    terms: size * size * channels,
    parameters: { height, width, channels, size },
    shape: [batch, height, width, columns],
  }, { bias: call.inputs.bias, relu: call.attributes.relu === true });
  return [y];
};

/** dx: dy with mirrored filters, their input and output channels swapped. */
export const convolveInputGrad: Kernel = (call) => {
  const image = need(call, "dy"), weights = need(call, "filter");
  const [batch, height, width, channels] = sides(image), [size, , columns] = sides(weights);
  const dx = multiply(call.backend, {
    key: "convolve input grad",
    inputs: { image, weights },
    lookup: backward,
    rows: batch * height * width,
    columns,
    terms: size * size * channels,
    parameters: { height, width, channels, size },
    shape: [batch, height, width, columns],
  });
  return [dx];
};

/** dfilter [k, k, I, O]: x, shifted by each tap, times dy, summed over all positions. */
export const convolveFilterGrad: Kernel = (call) => {
  const image = need(call, "x"), dy = need(call, "dy");
  const [batch, height, width, channels] = sides(image), [, , , columns] = sides(dy);
  const size = Number(call.attributes.size);
  const dfilter = multiply(call.backend, {
    key: "convolve filter grad",
    inputs: { image, dy },
    lookup: correlate,
    rows: size * size * channels,
    columns,
    terms: batch * height * width,
    parameters: { height, width, channels, size },
    shape: [size, size, channels, columns],
  });
  return [dfilter];
};
