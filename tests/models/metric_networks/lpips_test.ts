/** LPIPS against PyTorch, from the published files to a distance; its laws; what is refused. */
import assert from "node:assert/strict";
import { tf } from "../../../backends/tf.ts";
import { createLpips, type LpipsTrunk } from "../../../models/metric_networks/lpips.ts";
import { convertTensors } from "../../../models/weights/convert.ts";
import type { HostTensors } from "../../../pipeline/core/elements.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { arraysOf } from "../../../pipeline/metrics/batch.ts";
import { lpipsDistance } from "../../../pipeline/metrics/lpips.ts";
import { convertFiles } from "../../../pipeline/programs/weights/install.ts";
import { picture } from "../../pipeline/metrics/support.ts";
import golden from "../golden/lpips.json" with { type: "json" };
import { fill } from "../hashed.ts";
import { compute, onBackend, right, sentence } from "../perceptual/support.ts";
import { asHost, type Floats, writeTorchLegacy, writeTorchZip } from "../weights/writers.ts";
import { layersFile, trunkFile, wholeFile } from "./lpips_support.ts";

const converted = (tensors: Floats): HostTensors => {
  const result = convertTensors({ tensors: asHost(tensors), metadata: {}, sha256: "" });
  if (E.isLeft(result)) assert.fail(result.left);
  assert.equal(result.right.network.name, "lpips");
  return result.right.tensors;
};

const problem = (tensors: Floats): string => {
  const result = convertTensors({ tensors: asHost(tensors), metadata: {}, sha256: "" });
  return E.isLeft(result) ? result.left : assert.fail(`accepted as ${result.right.network.name}`);
};

for (const trunk of ["alexnet", "vgg16"] as const satisfies readonly LpipsTrunk[]) {
  Deno.test(`LPIPS with ${trunk} agrees with PyTorch to 1e-4`, () =>
    onBackend("wasm", async (backend) => {
      const arrays = arraysOf(converted({ ...trunkFile(trunk), ...layersFile(trunk) }));
      const { height, width, distances } = golden[trunk], sides = [1, height, width, 3];
      const network = await right(backend.run("loading", () => createLpips(arrays)));
      const [found] = await compute(backend, () => {
        const [a, b] = ["a", "b"].map((name) =>
          tf.tensor(fill(`${trunk}/${name}`, height * width * 3), sides)
        );
        assert.ok(a && b);
        const near = tf.add(tf.mul(a, 0.9), tf.mul(b, 0.1));
        return [network.distances(tf.concat([a, a], 0), tf.concat([b, near], 0))];
      });
      assert.equal(found?.length, 2);
      distances.forEach((expected, i) => {
        const value = found?.[i] ?? NaN;
        assert.ok(Math.abs(value - expected) <= 1e-4 * expected, `${i}: ${value}, not ${expected}`);
      });
      backend.dispose(network.weights);
    }));
}

Deno.test("LPIPS of published files, of the whole network and of ours is one; wrong files are named", async () => {
  const trunk = trunkFile("alexnet"), layers = layersFile("alexnet");
  const own = converted({ ...trunk, ...layers });
  const head = { "classifier.6.weight": { shape: [2, 2], data: new Float32Array(4) } };
  for (const file of [{ ...trunk, ...layers, ...head }, wholeFile("alexnet"), own as Floats]) {
    assert.deepEqual(converted(file), own);
  }
  assert.match(problem(trunk), /lacks lin0\.model\.1\.weight.*expected all of LPIPS/);
  assert.match(problem(layers), /holds 5 tensors \(lin0.*expected those of .*LPIPS/);
  const folder = await Deno.makeTempDir();
  try {
    const [trunkPath, layersPath, out] = ["trunk.pth", "layers.pth", "lpips.safetensors"]
      .map((name) => `${folder}/${name}`) as [string, string, string];
    await Deno.writeFile(trunkPath, writeTorchLegacy(trunk));
    await Deno.writeFile(layersPath, await writeTorchZip(layers));
    const { network, metadata } = await right(convertFiles([trunkPath, layersPath], out));
    assert.deepEqual(
      [network, metadata["trunk"], metadata["source"]],
      ["lpips", "alexnet", "trunk.pth, layers.pth"],
    );
    assert.match(metadata["sourceSha256"] ?? "", /^[0-9a-f]{64},[0-9a-f]{64}$/);
    const twice = convertFiles([trunkPath, trunkPath], out);
    assert.match(await sentence(twice), /another file holds features\.0\.weight too/);
    await onBackend("wasm", async (backend) => {
      const judge = await right(lpipsDistance(out)({ backend }));
      assert.match(judge.name, /^LPIPS \(AlexNet, not known to be the published weights\)$/);
      const pictures = Array.from({ length: 5 }, (_, i) => picture(`lpips/${i}`, 31, 40));
      const shifted = [...pictures.slice(1), ...pictures.slice(0, 1)];
      assert.deepEqual(await right(judge.distances(pictures, pictures)), [0, 0, 0, 0, 0]);
      const there = await right(judge.distances(pictures, shifted));
      const back = await right(judge.distances(shifted, pictures));
      const alone = await right(judge.distances(pictures.slice(2, 3), shifted.slice(2, 3)));
      there.forEach((distance, i) => {
        assert.ok(distance > 0.1 && Math.abs(distance - (back[i] ?? NaN)) < 1e-6, `${i}`);
      });
      const [whole = NaN, one = NaN] = [there[2], alone[0]];
      assert.ok(Math.abs(whole - one) <= 1e-9 * whole, `${whole} in a batch of 4, ${one} alone`);
      await assert.rejects(() => judge.distances(pictures, [])(), /expected pairs/);
      judge.dispose();
      const below = Object.fromEntries(
        Object.entries(layers).map(([name, { shape, data }]) => [
          name,
          { shape, data: data.map((x) => x - 0.5) },
        ]),
      );
      await Deno.writeFile(trunkPath, await writeTorchZip({ ...trunk, ...below }));
      assert.match(await sentence(lpipsDistance(trunkPath)({ backend })), /numbers below 0/);
      assert.match(await sentence(lpipsDistance(layersPath)({ backend })), /holds 5 tensors/);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
