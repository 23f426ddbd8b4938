/**
 * CSIM tells real people apart: eight people of the corpus, three frames of one short clip each (all
 * people: `bench/csim_corpus.ts`).
 */
import assert from "node:assert/strict";
import { createFaceAnalyzer } from "../../../backends/face.ts";
import { findFace } from "../../../datasets/video/find_face.ts";
import { openClip } from "../../../datasets/video/source.ts";
import { findVideoTools } from "../../../datasets/video/tools.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { csim } from "../../../pipeline/metrics/csim.ts";
import { faceApiIdentity } from "../../../pipeline/metrics/identity.ts";
import { areaUnderCurve } from "../../../pipeline/metrics/roc.ts";
import { right, videoTest } from "../../datasets/video_fixtures.ts";

const corpus = new URL("../../../../shared/corpus/mp4", import.meta.url).pathname;
const lacking = await Deno.stat(corpus).then(() => undefined, () => "../shared/corpus");
const CLIPS = [
  "id004/fear/00001.mp4",
  "id042/00010/00001.mp4",
  "id045/517600055/00001.mp4",
  "id069/OzA6jRYjVQs_00004/00001.mp4",
  "id070/PbgB2TaYhio_00007/00001.mp4",
  "id077/feifeili_clip3/00003.mp4",
  "id080/happyenglish_clip1/00001.mp4",
  "id084/spata_clip1/00001.mp4",
];
const FRAMES = 3;

const quartiles = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return [0, 0.25, 0.5, 0.75, 1].map((q) =>
    (sorted[Math.round(q * (sorted.length - 1))] ?? NaN).toFixed(3)
  ).join(" ");
};

videoTest(
  "CSIM on the corpus: one person within a clip against different people, AUC at least 0.99",
  async () => {
    const tools = await right(findVideoTools()), faces = await right(createFaceAnalyzer());
    const { signal } = new AbortController();
    const { describe } = faceApiIdentity(faces);
    try {
      const described: Float32Array[][] = [];
      for (const key of CLIPS) {
        const clip = { identity: "", video: "", key, path: `${corpus}/${key}`, stamp: "" };
        const { frames } = await right(openClip(tools, clip, signal));
        const descriptors: Float32Array[] = [];
        for await (const frame of frames({ frames: FRAMES, longest: 400 })({ signal })) {
          assert.ok(E.isRight(frame), key);
          const face = await right(findFace(faces, frame.right));
          if (face) descriptors.push(await right(describe(frame.right, face.landmarks)));
        }
        described.push(descriptors);
      }
      const same: number[] = [], different: number[] = [];
      described.forEach((mine, i) =>
        mine.forEach((x, k) => {
          mine.slice(k + 1).forEach((y) => same.push(csim(x, y)));
          described.slice(i + 1).flat().forEach((y) => different.push(csim(x, y)));
        })
      );
      const area = areaUnderCurve(same, different);
      const told = `AUC ${area.toFixed(4)}; one person (${same.length} pairs): ${
        quartiles(same)
      }; different people (${different.length}): ${quartiles(different)}`;
      assert.ok(same.length >= 20 && different.length >= 200, told);
      assert.ok(area >= 0.99, told);
      assert.ok(Math.min(...same) > 0.9, told);
    } finally {
      await faces.close();
    }
  },
  lacking,
);
