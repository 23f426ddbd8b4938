/**
 * Bilinear sampling of an image at the places of a grid, differentiable in both: the warp of
 * X2Face. Composed of stock operations that every backend has.
 *
 * @module
 */
import { type Tensor, type Tensor2D, tf } from "../tf.ts";

/** One of the four pixels around each place. */
interface Corner {
  /** Its row in the image as a list of pixels; inside it, always. // [B·h·w] int32 */
  readonly index: Tensor;
  /** 1 where it lies in the image, 0 outside. // [B·h·w, 1] */
  readonly inside: Tensor;
  /** Which side of the place it is on, as the weights (1 − f) or f of both axes. // [B·h·w, 1] */
  readonly alongX: Tensor;
  readonly alongY: Tensor;
}

/** 1 where lowest ≤ x ≤ highest, else 0. */
const within = (x: Tensor, highest: number): Tensor =>
  tf.mul(tf.step(tf.add(x, 0.5)), tf.step(tf.sub(highest + 0.5, x)));

/** The four corners, upper before lower, left before right (north-west first). */
const cornersOf = (image: Tensor, grid: Tensor): readonly Corner[] => {
  const [batch = 1, height = 1, width = 1] = image.shape;
  const places = grid.size / 2 / batch;
  const [x, y] = tf.split(grid.reshape([-1, 2]), 2, 1) as [Tensor, Tensor];
  // Align corners: −1 and 1 are the centres of the outermost pixels.
  const px = tf.mul(tf.add(x, 1), (width - 1) / 2), py = tf.mul(tf.add(y, 1), (height - 1) / 2);
  const left = tf.floor(px), top = tf.floor(py);
  const right = tf.sub(px, left), below = tf.sub(py, top);
  const first = Int32Array.from(
    { length: batch * places },
    (_, i) => Math.floor(i / places) * height * width,
  );
  const start = tf.tensor1d(first, "int32");
  const corner = (dx: 0 | 1, dy: 0 | 1): Corner => {
    const column = tf.add(left, dx), row = tf.add(top, dy);
    const whole = (value: Tensor, highest: number): Tensor =>
      tf.cast(tf.clipByValue(value, 0, highest), "int32").reshape([-1]);
    const at = tf.add(tf.mul(whole(row, height - 1), tf.scalar(width, "int32")), start);
    return {
      index: tf.add(at, whole(column, width - 1)),
      inside: tf.mul(within(column, width - 1), within(row, height - 1)),
      alongX: dx === 1 ? right : tf.sub(1, right),
      alongY: dy === 1 ? below : tf.sub(1, below),
    };
  };
  return [corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)];
};

const add = (tensors: readonly Tensor[]): Tensor => tensors.reduce((a, b) => tf.add(a, b));

const valueAt = (image: Tensor, { index, inside }: Corner): Tensor =>
  tf.mul(tf.gather(image.reshape([-1, image.shape[3] ?? 1]), index.as1D()), inside);

const weightOf = ({ inside, alongX, alongY }: Corner): Tensor =>
  tf.mul(inside, tf.mul(alongX, alongY));

const sample = (image: Tensor, grid: Tensor): Tensor => {
  const values = cornersOf(image, grid).map((corner) =>
    tf.mul(valueAt(image, corner), tf.mul(corner.alongX, corner.alongY))
  );
  return add(values).reshape([...grid.shape.slice(0, 3), image.shape[3] ?? 1]);
};

/** Each pixel gets what its neighbours on the grid took of it. */
const imageGradient = (dy: Tensor, image: Tensor, grid: Tensor): Tensor => {
  const channels = image.shape[3] ?? 1, flat = dy.reshape([-1, channels]);
  const corners = cornersOf(image, grid);
  const indices = tf.concat(corners.map(({ index }) => index.reshape([-1, 1])), 0);
  const updates = tf.concat(corners.map((corner) => tf.mul(flat, weightOf(corner))), 0);
  return tf.scatterND(indices, updates, [image.size / channels, channels]).reshape(image.shape);
};

const gridGradient = (dy: Tensor, image: Tensor, grid: Tensor): Tensor => {
  const [, height = 1, width = 1, channels = 1] = image.shape;
  const flat = dy.reshape([-1, channels]);
  const corners = cornersOf(image, grid);
  // ⟨dy, pixel⟩ of each corner; x moves weight from the left corners to the right ones.
  const worth = corners.map((corner) => tf.sum(tf.mul(valueAt(image, corner), flat), 1, true));
  const signed = (i: number, positive: boolean, along: "alongX" | "alongY"): Tensor => {
    const value = worth[i], corner = corners[i];
    if (!value || !corner) throw new Error(`Cannot differentiate a grid: corner ${i} is missing`);
    const part = tf.mul(value, corner[along]);
    return positive ? part : tf.neg(part);
  };
  const dx = add([0, 1, 2, 3].map((i) => signed(i, i % 2 === 1, "alongY")));
  const down = add([0, 1, 2, 3].map((i) => signed(i, i >= 2, "alongX")));
  return tf.concat([tf.mul(dx, (width - 1) / 2), tf.mul(down, (height - 1) / 2)], 1)
    .reshape(grid.shape) as Tensor2D;
};

const differentiable = tf.customGrad((...args) => {
  const [image, grid, save] = args as unknown as [Tensor, Tensor, (saved: Tensor[]) => void];
  save([image, grid]);
  return {
    value: sample(image, grid),
    gradFunc: (dy: Tensor, saved: Tensor[]) => {
      const [from = image, at = grid] = saved;
      return [imageGradient(dy, from, at), gridGradient(dy, from, at)];
    },
  };
});

/**
 * `image` where `grid` points: (x, y) with (−1, −1) the centre of the upper left pixel and (1, 1)
 * that of the lower right one; black outside. Gradients go to both. As PyTorch's `grid_sample`
 * with `align_corners=True` and zero padding.
 */
export const gridSample = (
  image: Tensor, // [B, H, W, C]
  grid: Tensor, // [B, h, w, 2]
): Tensor => differentiable(image, grid); // [B, h, w, C]

/** The grid at which an image is itself. // [1, h, w, 2] */
export const identityGrid = (height: number, width: number): Tensor => {
  const values = new Float32Array(height * width * 2);
  const place = (i: number, count: number): number => count === 1 ? 0 : 2 * i / (count - 1) - 1;
  for (let i = 0; i < height * width; i++) {
    values[2 * i] = place(i % width, width);
    values[2 * i + 1] = place(Math.floor(i / width), height);
  }
  return tf.tensor(values, [1, height, width, 2]);
};
