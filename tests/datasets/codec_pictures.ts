/** Pictures and files of pictures for the tests of the codec. */
import assert from "node:assert/strict";
import { decodeImage } from "../../datasets/codec.ts";
import { E, type TE } from "../../pipeline/core/fp.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { makeRng } from "../../pipeline/core/rng.ts";

// A 6×4 picture of about (200, 50, 20), top left 3×2 pixels about (30, 100, 250), made by other encoders.
export const FILES = {
  "16 bits.png":
    "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAEEAIAAABy9gVXAAAACXBIWXMAAAABAAAAAQBPJcTWAAAAKElEQVR4nGOQk0tJ+fkTmZSUjI//8uXYMUNDEREIyUCUImQOLpIoRQClAzjVZjB79AAAAABJRU5ErkJggg==",
  "grey.jpg":
    "/9j/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/wgALCAAEAAYBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABP/aAAgBAQAAAAEH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABBQJ//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQAGPwJ//8QAFhABAQEAAAAAAAAAAAAAAAAAAQAR/9oACAEBAAE/IV2//9oACAEBAAAAEH//xAAWEAADAAAAAAAAAAAAAAAAAAAAATH/2gAIAQEAAT8QZR//2Q==",
  "lossless.webp":
    "UklGRmAAAABXRUJQVlA4TFMAAAAvBcAAAD+goG0jN3Z73z2XV9NICnQP/n1BT40ByhOgJJIVOv4+aFA4GpAAz/zH784p+oOT3ry8JRV6DxSykQSH90FZhHU4hTM4hYvof/z6Rg0BAAA=",
  "lossy.webp":
    "UklGRm4AAABXRUJQVlA4IGIAAACQAgCdASoGAAQAAIAIJbACdLoB+AH6AM//pVUIAAD++sT86k3/60//i54B/mQ4v+ZY/4eR690msDWizsCoMk/+gEf/wJ3/Uf3f/nzz3+ID/I0mN2PF38Rn/oS7M/f/VmAAAA==",
} as const;

export const bytesOf = (name: keyof typeof FILES): Uint8Array =>
  Uint8Array.from(atob(FILES[name]), (letter) => letter.charCodeAt(0));

export const right = async <Er, A>(task: TE.TaskEither<Er, A>): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) assert.fail(JSON.stringify(result.left));
  return result.right;
};

export const message = async (bytes: Uint8Array, name = "x"): Promise<string> => {
  const result = await decodeImage(bytes, name)();
  if (E.isRight(result)) assert.fail("it decoded");
  assert.equal(result.left._tag, "BadFile");
  return result.left.message;
};

export const noise = (width: number, height: number): Image => {
  const draw = makeRng(5).draw(), image = makeImage(width, height);
  image.data.forEach((_, i) => image.data[i] = draw.integer(256));
  return image;
};

export const smooth = (width: number, height: number): Image => {
  const image = makeImage(width, height);
  image.data.forEach((_, i) => {
    const x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    image.data[i] = 128 + 90 * Math.sin(x / 9 + (i % 3)) * Math.cos(y / 7);
  });
  return image;
};
