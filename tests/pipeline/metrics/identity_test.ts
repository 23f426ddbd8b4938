/** Recognisers for CSIM: what npm brings, what a file brings, and what is refused. */
import assert from "node:assert/strict";
import { createFaceAnalyzer } from "../../../backends/face.ts";
import { paintSyntheticFrame } from "../../../datasets/synthetic.ts";
import { presets } from "../../../models/presets.ts";
import { csim } from "../../../pipeline/metrics/csim.ts";
import {
  faceApiIdentity,
  type IdentityNetwork,
  identityProblems,
  mobileFaceIdentity,
} from "../../../pipeline/metrics/identity.ts";
import type { Frame } from "../../../pipeline/core/image.ts";
import { onBackend, right, sentence } from "../../models/perceptual/support.ts";

const paint = (identity: number, seconds: number): Frame =>
  paintSyntheticFrame({ seed: 1, identity, video: 0, seconds, size: 128 });

const likeness = async (network: IdentityNetwork, a: Frame, b: Frame): Promise<number> =>
  csim(
    await right(network.describe(a.image, a.landmarks)),
    await right(network.describe(b.image, b.landmarks)),
  );

/** Synthetic people: the same one a second later is more alike than another one. */
const tellsPeople = async (network: IdentityNetwork): Promise<void> => {
  let same = 0, other = 0;
  const people = 6;
  for (let i = 0; i < people; i++) {
    same += await likeness(network, paint(i, 0), paint(i, 1)) / people;
    other += await likeness(network, paint(i, 0), paint(i + people, 1)) / people;
  }
  assert.ok(same > other, `${same} is not above ${other}`);
};

Deno.test("face-api's descriptor serves CSIM in a clean clone", async () => {
  const faces = await right(createFaceAnalyzer());
  try {
    await tellsPeople(faceApiIdentity(faces));
  } finally {
    await faces.close();
  }
});

const published = new URL("../../../../shared/weights/mobileface", import.meta.url).pathname;

Deno.test({
  name: "MobileFace serves CSIM from its file, and leaves no tensor (needs ../shared/weights)",
  ignore: !await Deno.stat(published).then(() => true, () => false),
  fn: () =>
    onBackend("wasm", async (backend) => {
      const network = await right(mobileFaceIdentity(`${published}/mobileface.json`)({ backend }));
      await tellsPeople(network);
      const { image, landmarks } = paint(1, 0);
      assert.equal((await right(network.describe(image, landmarks))).length, 256);
      const nowhere = landmarks.map(() => 5);
      assert.match(await sentence(network.describe(image, nowhere)), /span no face/);
      network.dispose();
    }),
});

Deno.test("a file that is no MobileFace is refused in a sentence", () =>
  onBackend("cpu", async (backend) => {
    assert.match(await sentence(mobileFaceIdentity("nowhere")({ backend })), /does not exist/);
    const other = new URL("../../models/weights/golden/tiny_zip.pth", import.meta.url).pathname;
    assert.match(
      await sentence(mobileFaceIdentity(other)({ backend })),
      /^Cannot read weights from .*expected those of MobileFace$/,
    );
  }));

Deno.test("a network that is in the loss cannot serve CSIM", () => {
  const { content } = presets["toy-64"].training;
  assert.ok(content.some(({ network }) => network === "faceres"));
  assert.match(identityProblems("faceres", content)[0] ?? "", /was trained to please it/);
  assert.deepEqual(identityProblems("face-api", content), []);
  assert.deepEqual(identityProblems("mobileface", content), []);
});
