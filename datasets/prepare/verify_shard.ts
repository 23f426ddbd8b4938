/**
 * A shard compared with its list, member by member.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";
import type { Image } from "../../pipeline/core/image.ts";
import { decodeImage } from "../codec.ts";
import { markLandmarks } from "../drawing.ts";
import { sampleName } from "./pack_clip.ts";
import { EXTENSIONS, parseSample, type Sample, type ShardClip, type ShardList } from "./record.ts";
import type { PreparedIndex } from "./types.ts";
import { type FoundMember, walkTar } from "./tar.ts";

/** Hears of a problem. */
export type Tell = (problem: string) => void;

/** A landmark may be so many pixels outside: they are stored rounded. */
const ROUNDING = 0.01;
const checkSample = (
  { landmarks, ...sample }: Sample,
  clip: ShardClip,
  index: number,
  size: number,
  tell: Tell,
): void => {
  const is = JSON.stringify([sample.identity, sample.video, sample.clip, sample.frame]);
  const listed = JSON.stringify([clip.identity, clip.video, clip.key, clip.numbers[index]]);
  if (is !== listed) tell(`its JSON says ${is}, the list ${listed}`);
  if (sample.time !== clip.times[index]) tell(`its time is ${sample.time}, not as listed`);
  const outside = landmarks.findIndex((v) => !(v >= -ROUNDING && v <= size + ROUNDING));
  if (outside >= 0) {
    tell(`landmark ${outside >> 1} is at ${landmarks[outside]}, expected it inside the picture`);
  }
};

/** Checks the two members of a sample; the picture where it decodes. */
const checkMembers = async (
  picture: FoundMember,
  json: FoundMember,
  clip: ShardClip,
  index: number,
  size: number,
  tell: Tell,
): Promise<{ readonly image: Image; readonly sample: Sample } | undefined> => {
  const image = await decodeImage(picture.data, picture.name)();
  if (E.isLeft(image)) tell(image.left.message);
  else if (image.right.width !== size || image.right.height !== size) {
    tell(`it is ${image.right.width}×${image.right.height} pixels, expected ${size}`);
  }
  const sample = parseSample(json.data);
  if (E.isLeft(sample)) tell(`its JSON: ${sample.left}`);
  else checkSample(sample.right, clip, index, size, tell);
  return E.isRight(image) && E.isRight(sample)
    ? { image: image.right, sample: sample.right }
    : undefined;
};

interface Expected {
  readonly clip: ShardClip;
  readonly index: number;
  readonly name: string;
}

const expectedSamples = (list: ShardList): readonly Expected[] =>
  list.clips.flatMap((clip) =>
    clip.numbers.map((number, index) => ({ clip, index, name: sampleName(clip.id, number) }))
  );

/**
 * Walks through a shard beside its list and tells what differs; throws what the disk throws.
 * Returns the middle frame of each clip that `keep` wants, its landmarks drawn.
 */
export const checkShard = async (
  tar: string,
  list: ShardList,
  { size, format }: PreparedIndex["settings"],
  keep: (clip: ShardClip) => boolean,
  signal: AbortSignal,
  tell: Tell,
): Promise<readonly Image[]> => {
  const samples = expectedSamples(list), pictures: Image[] = [];
  let at = 0, picture: FoundMember | undefined;
  for await (const found of walkTar(tar)) {
    if (signal.aborted) return pictures;
    if ("problem" in found) {
      tell(`at byte ${found.offset}: ${found.problem}`);
      continue;
    }
    const expected = samples[at];
    const wanted = expected === undefined
      ? "nothing more"
      : `${expected.name}.${picture === undefined ? EXTENSIONS[format] : "json"}`;
    if (expected === undefined || found.name !== wanted) {
      tell(`at byte ${found.offset}: ${found.name} is there, expected ${wanted}`);
      // Members that are too many are passed over, so that what follows is checked.
      const later = samples.findIndex(({ name }, i) =>
        i > at && found.name === `${name}.${EXTENSIONS[format]}`
      );
      if (later >= 0) {
        at = later;
        picture = found;
      }
      continue;
    }
    if (picture === undefined) {
      picture = found;
      continue;
    }
    const { clip, index, name } = expected;
    const checked = await checkMembers(
      picture,
      found,
      clip,
      index,
      size,
      (problem) => tell(`${name}: ${problem}`),
    );
    if (checked !== undefined && index === clip.numbers.length >> 1 && keep(clip)) {
      const landmarks = Float32Array.from(checked.sample.landmarks);
      pictures.push(markLandmarks(checked.image, landmarks));
    }
    picture = undefined;
    at++;
  }
  if (at < samples.length) tell(`${samples.length - at} samples of ${samples.length} are missing`);
  return pictures;
};
