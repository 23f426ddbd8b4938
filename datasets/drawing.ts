/**
 * Contact sheets and marks on pictures, for people to look at.
 *
 * @module
 */
import { type Image, type Landmarks, makeImage } from "../pipeline/core/image.ts";

/** Red, green, blue, 0 to 255. */
export type Color = readonly [number, number, number];

/** How a contact sheet is laid out. */
export interface ContactSheetOptions {
  /** Pixels between pictures and around them; default 0. */
  readonly gap?: number;
  /** Colour of the gaps and of empty places; default white. */
  readonly background?: Color;
}

const paste = (from: Image, to: Image, left: number, top: number): void => {
  for (let y = 0; y < from.height; y++) {
    const row = from.data.subarray(y * from.width * 3, (y + 1) * from.width * 3);
    to.data.set(row, ((top + y) * to.width + left) * 3);
  }
};

/**
 * Lays pictures out in rows of `columns`, each in a cell of the largest width and height among
 * them, at its top left.
 *
 * @example
 * ```ts
 * import { contactSheet } from "./drawing.ts";
 * import { makeImage } from "../pipeline/core/image.ts";
 * const sheet = contactSheet([makeImage(8, 8), makeImage(8, 8), makeImage(8, 8)], 2, { gap: 1 });
 * if (sheet.width !== 19 || sheet.height !== 19) throw new Error("unexpected size");
 * ```
 */
export const contactSheet = (
  images: readonly Image[],
  columns: number,
  options: ContactSheetOptions = {},
): Image => {
  const { gap = 0, background = [255, 255, 255] } = options;
  const across = Math.max(1, Math.min(Math.floor(columns), images.length || 1));
  const cellWidth = Math.max(1, ...images.map(({ width }) => width)) + gap;
  const cellHeight = Math.max(1, ...images.map(({ height }) => height)) + gap;
  const rows = Math.max(1, Math.ceil(images.length / across));
  const sheet = makeImage(across * cellWidth + gap, rows * cellHeight + gap, background);
  images.forEach((image, i) => {
    const column = i % across, row = Math.floor(i / across);
    paste(image, sheet, gap + column * cellWidth, gap + row * cellHeight);
  });
  return sheet;
};

/** A copy of a picture with a square of `side` pixels at each landmark. */
export const markLandmarks = (
  image: Image,
  landmarks: Landmarks,
  color: Color = [0, 255, 0],
  side = Math.max(1, Math.round(image.width / 128)),
): Image => {
  const marked: Image = { ...image, data: image.data.slice() };
  for (let i = 0; i + 1 < landmarks.length; i += 2) {
    const left = Math.round((landmarks[i] ?? NaN) - side / 2);
    const top = Math.round((landmarks[i + 1] ?? NaN) - side / 2);
    for (let y = Math.max(0, top); y < Math.min(image.height, top + side); y++) {
      for (let x = Math.max(0, left); x < Math.min(image.width, left + side); x++) {
        marked.data.set(color, (y * image.width + x) * 3);
      }
    }
  }
  return marked;
};
