/** Real frames are looked at once, whatever the number of answers and values of T. */
import assert from "node:assert/strict";
import { syntheticHeads } from "../../../../datasets/synthetic.ts";
import { E, RTE } from "../../../../pipeline/core/fp.ts";
import type { Image } from "../../../../pipeline/core/image.ts";
import { readSafetensorsFile } from "../../../../pipeline/core/safetensors.ts";
import type { Answerer } from "../../../../pipeline/programs/evaluate/answers.ts";
import { distancesOf } from "../../../../pipeline/programs/evaluate/features.ts";
import type { Judges } from "../../../../pipeline/programs/evaluate/judges.ts";
import { questionPerson } from "../../../../pipeline/programs/evaluate/question.ts";
import { featuresPath, openEvaluation } from "../../../../pipeline/programs/evaluate/store.ts";
import { tabulate } from "../../../../pipeline/programs/evaluate/table.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight, onBackend } from "../../../models/support.ts";
import { envOf } from "../few_shot_support.ts";
import { blindJudges } from "./support.ts";

const dataset = syntheticHeads({ size: 16, identities: 4, videos: 1, framesPerVideo: 8 });

const everybody: readonly Answerer[] = ["a", "b"].map((name) => ({
  name,
  answer: ({ sources, targets }) => RTE.right(targets.flatMap(() => sources[0]?.image ?? [])),
}));

Deno.test("descriptors and features of the real frames are made once, and kept for every T", () =>
  inFolder((out) =>
    onBackend("wasm", async (backend) => {
      let described = 0, seen = 0;
      const features = (images: readonly Image[]) => () => {
        seen += images.length;
        const found = images.map(({ data }) => Float32Array.of(data[0] ?? 0, data[400] ?? 0, 1));
        return Promise.resolve(E.right(found));
      };
      const judges: Judges = {
        ...blindJudges,
        identity: {
          ...blindJudges.identity,
          describe: () => () => {
            described++;
            return Promise.resolve(E.right(Float32Array.of(1, 2)));
          },
        },
        inception: { metric: "a test", features, dispose: () => {} },
      };
      const [sequence] = dataset.heldOut;
      assert.ok(sequence);
      await expectRight(openEvaluation(out, {}));
      const questioning = { dataset, protocol: { shots: [1, 2], people: 1, frames: 3 }, out };
      const { measured } = await expectRight(
        questionPerson(questioning, judges, everybody, {
          ...{ key: "a/b", sequence, shots: [1, 2] },
        })(envOf(backend)),
      );
      // 3 real frames, and 3 of each of two answers for each of two values of T.
      assert.deepEqual([described, seen], [3 + 12, 3 + 12]);
      const file = await expectRight(readSafetensorsFile(featuresPath(out, "a/b")));
      const names = ["1/a", "1/b", "1/truth", "2/a", "2/b", "2/truth"];
      assert.deepEqual(Object.keys(file.tensors).toSorted(), names);
      assert.deepEqual(file.tensors["1/truth"], file.tensors["2/truth"]);
      const rows = tabulate(measured, envOf(backend).rng);
      const distances = await distancesOf(out, ["a/b"], rows, envOf(backend).rng);
      assert.equal(distances.size, 4);
      // One person: there is nobody whom an interval could be over.
      for (const { frechet } of distances.values()) assert.equal(frechet.low, frechet.high);
    })
  ));
