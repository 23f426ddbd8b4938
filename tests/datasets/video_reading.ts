/** Reading of small videos, for its tests. */
import assert from "node:assert/strict";
import { E } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { type Image, makeImage } from "../../pipeline/core/image.ts";
import { decodeFrames, type DecodeOptions } from "../../datasets/video/decode.ts";
import { probeVideo, type VideoInfo } from "../../datasets/video/probe.ts";
import { findVideoTools, type VideoTools } from "../../datasets/video/tools.ts";
import { left, right } from "./video_fixtures.ts";

/** A signal that nobody gives. */
export const never = new AbortController().signal;

const found: Promise<VideoTools>[] = [];

/** The tools of this machine, found once. */
export const videoTools = (): Promise<VideoTools> => found[0] ??= right(findVideoTools());

/** What is known of a video that can be read. */
export const probe = async (path: string, signal = never): Promise<VideoInfo> =>
  await right(probeVideo(await videoTools(), path, "clip", signal));

/** Why a video cannot be read. */
export const refuse = async (path: string): Promise<Err<"BadSample" | "Aborted">> =>
  await left(probeVideo(await videoTools(), path, "clip", never));

/** All frames that are asked for. */
export const decode = async (
  path: string,
  options: DecodeOptions = {},
): Promise<readonly Image[]> => {
  const frames: Image[] = [];
  const tools = await videoTools();
  const stream = decodeFrames(tools, path, "clip", await probe(path), options);
  for await (const frame of stream({ signal: never })) {
    assert(E.isRight(frame), JSON.stringify(frame));
    frames.push(frame.right);
  }
  return frames;
};

/** Grey pictures that tell their number by their brightness. */
export const numbered = (count: number, width = 64, height = 48): readonly Image[] =>
  Array.from({ length: count }, (_, i) => {
    const grey = 20 + 8 * i;
    return makeImage(width, height, [grey, grey, grey]);
  });

/** The number of a picture of {@link numbered}. */
export const numberOf = ({ data }: Image): number =>
  Math.round(((data[data.length >> 1] ?? 0) - 20) / 8);

/** Checks why a sample was rejected. */
export const assertRejected = (
  error: Err<"BadSample" | "Aborted">,
  reason: string,
  message: RegExp,
) => {
  assert(error._tag === "BadSample");
  assert.equal(error.reason, reason);
  assert.match(error.message, message);
};
