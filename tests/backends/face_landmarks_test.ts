/** The landmark network on our kernels, against the same network as the package runs it. */
import assert from "node:assert/strict";
import * as packaged from "npm:@vladmandic/face-api@1.7.15/dist/face-api.node-wasm.js";
import {
  LANDMARK_INPUT,
  type LandmarkPicture,
  makeLandmarkNetwork,
} from "../../backends/face_landmarks.ts";
import { tf } from "../../backends/tf.ts";
import { renderFaceBinary } from "../../backends/wasm/build.ts";
import { resample } from "../../pipeline/core/resample.ts";
import { groupPhoto } from "../datasets/video_fixtures.ts";

interface Net {
  readonly loadFromDisk: (folder: string) => Promise<void>;
  readonly getParamList: () => readonly {
    readonly path: string;
    readonly tensor: { readonly dataSync: () => Float32Array };
  }[];
}
interface Reference extends Net {
  readonly faceFeatureExtractor: Net;
  readonly detectLandmarks: (x: unknown) => Promise<{
    readonly relativePositions: readonly { readonly x: number; readonly y: number }[];
  }>;
}

const load = async (): Promise<Reference> => {
  const { default: api } = packaged as unknown as {
    readonly default: { readonly nets: { readonly faceLandmark68Net: Reference } };
  };
  await tf.setBackend("wasm");
  const code = import.meta.resolve("npm:@vladmandic/face-api@1.7.15/dist/face-api.node-wasm.js");
  const net = api.nets.faceLandmark68Net;
  await net.loadFromDisk(decodeURIComponent(new URL("../model", code).pathname));
  return net;
};

const weightsOf = (net: Reference) => {
  const weights = new Map(
    [...net.getParamList(), ...net.faceFeatureExtractor.getParamList()]
      .map(({ path, tensor }) => [path, tensor.dataSync()]),
  );
  return (name: string): Float32Array => weights.get(name) ?? assert.fail(`no ${name}`);
};

Deno.test("landmarks: our kernels find what the package's network finds, whatever the box's shape", async () => {
  const net = await load(), photo = await groupPhoto(), find = makeLandmarkNetwork(weightsOf(net));
  const agree = async (picture: LandmarkPicture): Promise<void> => {
    const { width, height, data } = picture;
    const x = tf.tensor3d(new Int32Array(data), [height, width, 3], "int32");
    const expected = (await net.detectLandmarks(x)).relativePositions.flatMap(({ x, y }) => [x, y]);
    x.dispose();
    const found = find(picture);
    assert.equal(found.length, expected.length);
    const worst = Math.max(...found.map((v, i) => Math.abs(v - expected[i]!)));
    assert.ok(worst < 1e-5, `${width}×${height}: ${worst} of the picture's side apart`);
  };
  const side = LANDMARK_INPUT;
  for (const [width, height] of [[side, side], [97, side], [side, 80], [30, side]] as const) {
    const rect = { x: 300, y: 260, width: 2 * width, height: 2 * height };
    await agree(resample(photo, rect, width, height));
  }
  // What one picture leaves behind does not reach into the next.
  const white = { width: side, height: side, data: new Uint8Array(side * side * 3).fill(255) };
  const before = find(white).slice();
  await agree(resample(photo, { x: 720, y: 320, width: 200, height: 200 }, side, side));
  assert.deepEqual(find(white), before);
  assert.throws(() => find({ width: 50, height: 50, data: new Uint8Array(7500) }), /longer side/);
});

Deno.test("landmarks: the binary is what its sources give", async () => {
  const committed = await Deno.readTextFile(
    new URL("../../backends/wasm/face_binary.ts", import.meta.url),
  );
  assert.ok(committed === await renderFaceBinary(), "run deno task build");
});
