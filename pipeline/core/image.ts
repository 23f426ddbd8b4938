/**
 * Raw pictures and landmarks as they travel between stages that do not use the backend.
 *
 * @module
 */

/** An RGB picture: `data` holds `height × width × 3` bytes in row order. */
export interface Image {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Red, green, blue. */
  readonly channels: 3;
  /** One byte a channel, rows from the top. */
  readonly data: Uint8Array;
}

/** 68 facial landmarks as `x0, y0, x1, y1, …` in pixels of the picture they belong to. // [68, 2] */
export type Landmarks = Float32Array;

/** One square crop of a face with its landmarks in pixels of the crop. */
export interface Frame {
  /** The picture. */
  readonly image: Image;
  /** In pixels of the picture. */
  readonly landmarks: Landmarks;
}

/** Makes a picture of one colour, black unless told otherwise. */
export const makeImage = (
  width: number,
  height: number,
  [red, green, blue]: readonly [number, number, number] = [0, 0, 0],
): Image => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = red;
    data[i + 1] = green;
    data[i + 2] = blue;
  }
  return { width, height, channels: 3, data };
};
