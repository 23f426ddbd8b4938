/** Smoothing in time: less jitter, no lag, expressions survive. */
import assert from "node:assert/strict";
import { type LandmarkTrack, resizeTrack } from "../../../datasets/track/landmark_track.ts";
import { LID_PAIRS, openingOf, upright } from "../../../datasets/track/geometry.ts";
import { smoothTrack } from "../../../datasets/track/smooth.ts";
import { farthest, film, rms, size, trembling } from "./support.ts";

/** Mean change of the change from frame to frame: what the eye sees as trembling. */
const jitter = ({ frames }: LandmarkTrack): number => {
  let sum = 0;
  for (let k = 2; k < frames.length; k++) {
    const [a, b, c] = [frames[k - 2]!, frames[k - 1]!, frames[k]!];
    sum += a.reduce((all, v, i) => all + Math.abs(v - 2 * b[i]! + c[i]!), 0) / 136;
  }
  return sum / (frames.length - 2);
};

Deno.test("smoothing: jitter falls by more than half and the truth comes nearer", () => {
  const truth = film(7, 150), seen = trembling(truth, 0.01 * size / 2), calm = smoothTrack(seen);
  const [before, after] = [jitter(seen), jitter(calm)];
  assert.ok(after < 0.4 * before, `${after} of ${before}`);
  assert.ok(rms(calm.frames, truth.frames) < 0.75 * rms(seen.frames, truth.frames));
});

Deno.test("smoothing: there is no lag", () => {
  const truth = film(7, 150), calm = smoothTrack(truth);
  const error = (lag: number): number =>
    rms(calm.frames.slice(10, 140), truth.frames.slice(10 + lag, 140 + lag));
  assert.ok(error(0) < error(1) && error(0) < error(-1));
  assert.ok(error(0) < 0.006 * size, `${error(0)} pixels`);
});

Deno.test("smoothing: a face that stands still is not moved", () => {
  const [first] = film(7, 1).frames;
  const still = { framesPerSecond: 30, size, frames: Array.from({ length: 20 }, () => first!) };
  assert.ok(farthest(smoothTrack(still).frames, still.frames) < 1e-3);
});

Deno.test("smoothing: a blink stays a blink", () => {
  for (const identity of [4, 7, 12]) {
    const truth = film(identity, 150), calm = smoothTrack(truth);
    const least = (track: typeof truth): number =>
      Math.min(...track.frames.map((points) => openingOf(upright(points), LID_PAIRS.right)));
    const open = openingOf(upright(truth.frames[0]!), LID_PAIRS.right);
    assert.ok(least(calm) < least(truth) + 0.35 * open, `${least(calm)}, ${least(truth)}, ${open}`);
  }
});

Deno.test("smoothing: time counts, not frames, and pixels do not", () => {
  const truth = film(7, 60), calm = smoothTrack(truth);
  const quick = smoothTrack({ ...truth, framesPerSecond: 100 });
  assert.ok(rms(quick.frames, truth.frames) > 1.5 * rms(calm.frames, truth.frames));
  const small = resizeTrack(smoothTrack(resizeTrack(truth, 64)), size);
  assert.ok(farthest(small.frames, calm.frames) < 1e-2);
});

Deno.test("smoothing: lost frames stay lost and a cut is not smeared over a gap", () => {
  const one = film(7, 10), other = film(8, 10);
  const lost = Array.from({ length: 50 }, () => null);
  const cut: LandmarkTrack = { ...one, frames: [...one.frames, ...lost, ...other.frames] };
  const calm = smoothTrack(cut);
  assert.deepEqual(calm.frames.map((points) => points === null), cut.frames.map((p) => p === null));
  const apart = rms([calm.frames[60]!], [other.frames[0]!]);
  assert.ok(apart < 0.02 * rms([one.frames[9]!], [other.frames[0]!]) + 0.6, String(apart));
});
