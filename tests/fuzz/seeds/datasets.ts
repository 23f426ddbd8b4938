/** Small whole files of data: shards, clips, tracks, tables. */
import { encodeJpeg } from "../../../datasets/codec.ts";
import { packMembers, TAR_END } from "../../../datasets/prepare/tar.ts";
import { trackText } from "../../../datasets/track/landmark_track.ts";
import { writeClip } from "../../../datasets/video/clip_file.ts";
import type { Frame } from "../../../pipeline/core/image.ts";
import { right } from "../../datasets/video_fixtures.ts";
import { type Bytes, joined } from "../damage.ts";
import { bundle } from "../mend.ts";
import { always, json, noise, points, type Seeds, sha256, utf8 } from "./basics.ts";

const sample = (frame: number): Bytes =>
  utf8(JSON.stringify({
    ...{ identity: "ada", video: "v", clip: "c", frame, time: frame / 5, sharpness: 0.5 },
    landmarks: [...points(16)],
  }));

const id = "0123456789abcdef";

const members = async () => {
  const picture = await right(encodeJpeg(noise(16, 16), 80));
  return [0, 1].flatMap((frame) => [
    { name: `${id}-00000${frame}.jpg`, data: picture },
    { name: `${id}-00000${frame}.json`, data: sample(frame) },
  ]);
};

export const shards: Seeds = async () => [joined(await packMembers(await members()), TAR_END)];

export const prepared: Seeds = async () => {
  const all = await members(), shard = joined(await packMembers(all), TAR_END);
  const [first = 0, firstText = 0, second = 0, secondText = 0] = all.map(({ data }) => data.length);
  const quality = {
    ...{ face: 8, sharpness: 1, rawJitter: null, jitter: 0.1 },
    ...{ decoded: 2, lost: 0, blurred: 0, duplicate: 0 },
  };
  const list = json({
    ...{ format: "headshot-shard-1", name: "train-00000", split: "train", plan: sha256(shard) },
    ...{ bytes: shard.length, sha256: sha256(shard), rejects: [] },
    clips: [{
      ...{ key: "ada/v/c", identity: "ada", video: "v", id, numbers: [0, 1], times: [0, 0.2] },
      ...{ sizes: [[first, firstText], [second, secondText]], bytes: shard.length - 1024, quality },
      offset: 0,
    }],
  });
  const none = { identities: 0, sequences: 0, clips: 0, frames: 0 };
  const index = json({
    format: "headshot-prepared-1",
    settings: {
      ...{ size: 16, fps: 5, frames: 9, minFrames: 1, format: "jpeg", quality: 80 },
      ...{ validation: 0, test: 0, clipsPerShard: 1 },
    },
    splits: {
      train: { identities: 1, sequences: 1, clips: 1, frames: 2 },
      validation: none,
      test: none,
    },
    rejected: 0,
    shards: [{
      ...{ name: "train-00000", split: "train", clips: 1, frames: 2, bytes: shard.length },
      ...{ sha256: sha256(shard), list: sha256(list) },
    }],
  });
  return [bundle(index, list, shard)];
};

export const clips: Seeds = async () => {
  const folder = await Deno.makeTempDir(), path = `${folder}/clip`;
  const frames: readonly Frame[] = [1, 2, 3].map(() => ({
    image: noise(8, 8),
    landmarks: points(8),
  }));
  try {
    await right(writeClip(path, 8, frames));
    return [await Deno.readFile(path)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

export const tracks = always(
  utf8(trackText({ framesPerSecond: 25, size: 64, frames: [points(64), null, points(64)] })),
  utf8(trackText({ framesPerSecond: 0.5, size: 16, frames: [null] })),
);

export const tables = always(
  utf8('file,identity,video\n"a, b.mp4",ada,v1\r\nc.mp4,"ada ""the"" first",v2\n'),
  utf8("\ufeffidentity,file\rada,a.mp4\r"),
);
