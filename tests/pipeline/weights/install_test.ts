/** The command: convert, fetch from a server of this machine, list; round trips to a loaded network. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { vgg19, vggShapes } from "../../../models/perceptual/vgg.ts";
import { loadVgg } from "../../../models/perceptual/vgg_file.ts";
import {
  catalogue,
  type CatalogueEntry,
  sourcesOf,
  sumOf,
} from "../../../models/weights/catalogue.ts";
import { weightsCommand } from "../../../pipeline/cli/weights_command.ts";
import { parseOptions } from "../../../pipeline/cli/options.ts";
import { renderError } from "../../../pipeline/core/errors.ts";
import { E } from "../../../pipeline/core/fp.ts";
import { readSafetensors } from "../../../pipeline/core/safetensors.ts";
import { fetchWeights, listWeights } from "../../../pipeline/programs/weights/install.ts";
import { fill } from "../../models/hashed.ts";
import { compute, onBackend, picture, right, sentence } from "../../models/perceptual/support.ts";
import { permute } from "../../../models/weights/architecture.ts";
import {
  type Floats,
  writeCaffemodel,
  writeTensorflow,
  writeTorchLegacy,
  writeTorchZip,
} from "../../models/weights/writers.ts";
import { layersFile, trunkFile } from "../../models/metric_networks/lpips_support.ts";
import { serveFile } from "./server.ts";

const inFolder = async (test: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};

/** The first two layers of a VGG19 with hashed numbers, by names and in layouts of publishers. */
const layers = [...vggShapes(vgg19, ["relu1_2"])].map(([name, shape]) => ({
  name,
  shape,
  data: fill(name, shape.reduce((a, b) => a * b, 1)).map((x) => 0.1 * x),
}));

const published = (nameOf: (own: string) => string, transposed: boolean): Floats =>
  Object.fromEntries(layers.map(({ name, shape, data }) => {
    const turned = transposed && shape.length === 4
      ? permute({ dtype: "F32", shape, data }, [3, 2, 0, 1])
      : { shape, data };
    return [nameOf(name), { shape: turned.shape, data: Float32Array.from(turned.data) }];
  }));

const caffeName = (own: string) => own.replace("/kernel", "/0").replace("/bias", "/1");
const torchName = (own: string) =>
  own.replace("conv1_1", "features.0").replace("conv1_2", "features.2")
    .replace("/kernel", ".weight").replace("/bias", ".bias");
const kerasName = (own: string) => own.replace("conv", "block").replace("_", "_conv");

const run = async (...args: readonly string[]) => {
  const parsed = parseOptions("weights", weightsCommand.options, args);
  if (E.isLeft(parsed)) return E.left(renderError(parsed.left));
  return E.mapLeft(renderError)(await weightsCommand.run(parsed.right));
};

Deno.test("the same network from every format is the same file, and computes the same", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tfjs`);
    await writeTensorflow(`${folder}/tfjs`, published(kerasName, false));
    const caffe = published(caffeName, true), torch = published(torchName, true);
    await Deno.writeFile(`${folder}/vgg.caffemodel`, writeCaffemodel(caffe));
    await Deno.writeFile(`${folder}/old.caffemodel`, writeCaffemodel(caffe, { old: true }));
    await Deno.writeFile(`${folder}/vgg.pth`, await writeTorchZip(torch));
    await Deno.writeFile(`${folder}/old.pth`, writeTorchLegacy(torch));
    const written: Uint8Array[] = [];
    for (const name of ["tfjs", "vgg.caffemodel", "old.caffemodel", "vgg.pth", "old.pth"]) {
      const out = `${folder}/out/${name}.safetensors`;
      const options = ["--as", "vgg19", "--preprocessing", "caffe", "--licence", "CC BY 4.0"];
      const result = await run("convert", `${folder}/${name}`, out, ...options);
      if (E.isLeft(result)) assert.fail(result.left);
      const read = readSafetensors(await Deno.readFile(out), out);
      assert.ok(E.isRight(read));
      const { metadata, tensors } = read.right;
      assert.deepEqual([metadata["source"], metadata["licence"]], [name, "CC BY 4.0"]);
      assert.match(metadata["sourceSha256"] ?? "", /^[0-9a-f]{64}$/);
      for (const { name: own, shape, data } of layers) {
        assert.deepEqual(tensors[own]?.shape, [...shape]);
        assert.deepEqual(tensors[own]?.data, data, `${own} of ${name}`);
      }
      written.push(await Deno.readFile(out));
    }
    await onBackend("cpu", async (backend) => {
      const results: Float32Array[] = [];
      for (const path of ["out/vgg.pth.safetensors", "tfjs"]) {
        const network = await right(loadVgg(vgg19, `${folder}/${path}`, ["relu1_2"])({ backend }));
        const [found] = await compute(backend, () => network.activations(picture("round", 8)));
        results.push(found ?? assert.fail());
        backend.dispose(network.weights);
      }
      assert.deepEqual(results[0], results[1]);
      const of = loadVgg(vgg19, `${folder}/vgg.pth`, ["relu1_2"])({ backend });
      assert.match(await sentence(of), /zip archive.*deno task weights convert IN OUT/);
    });
    // A file of ours converts to itself.
    const again = `${folder}/again.safetensors`;
    assert.ok(E.isRight(await run("convert", `${folder}/out/vgg.pth.safetensors`, again)));
  }));

Deno.test("fetch downloads, converts, removes the original and does not fetch twice", () =>
  inFolder(async (folder) => {
    const bytes = await writeTorchZip(published(torchName, true)), server = serveFile(bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const entry = catalogue.find(({ name }) => name === "vgg19") ?? assert.fail();
    const signal = new AbortController().signal;
    const get = (more = {}) =>
      fetchWeights(entry, { cache: folder, signal, url: server.url, sha256, ...more });
    try {
      const fetched = await right(get());
      assert.ok(typeof fetched !== "string");
      assert.equal(fetched.metadata["source"], server.url);
      assert.equal(fetched.metadata["licence"], entry.licence);
      assert.equal(await right(get()), `${folder}/vgg19.safetensors`);
      assert.equal(server.ranges.length, 1);
      const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
      assert.deepEqual(names, ["vgg19.safetensors"]);
      const list = await right(listWeights(folder, () => "npm"));
      const listed = list.find(({ name }) => name === "vgg19");
      assert.equal(listed?.metadata?.["sourceSha256"], sha256);
      assert.equal(list.find(({ name }) => name === "fid")?.get, "deno task weights fetch fid");
      const without = fetchWeights(entry, { cache: folder, signal, url: server.url });
      assert.match(await sentence(without), /expected --sha256 with 64/);
    } finally {
      await server.close();
    }
  }));

Deno.test("fetch of a network in two files takes both, checks both sums and converts them together", () =>
  inFolder(async (folder) => {
    const files = [
      writeTorchLegacy(trunkFile("alexnet")),
      await writeTorchZip(layersFile("alexnet")),
    ] as const;
    const servers = files.map((bytes) => serveFile(bytes));
    const sums = files.map((bytes) => createHash("sha256").update(bytes).digest("hex"));
    const entry = catalogue.find(({ name }) => name === "lpips-alexnet") ?? assert.fail();
    const [source, also] = servers.map(({ url }, i) => ({ url, sha256: sums[i] ?? "" }));
    const signal = new AbortController().signal;
    const get = (changed: Partial<CatalogueEntry>, more = {}) =>
      fetchWeights({ ...entry, ...changed }, { cache: folder, signal, retries: 0, ...more });
    assert.ok(source && also);
    try {
      const wrong = { ...also, sha256: source.sha256 };
      assert.match(await sentence(get({ source, also: wrong })), /its SHA-256 is/);
      const fetched = await right(get({ source, also }));
      assert.ok(typeof fetched !== "string");
      assert.deepEqual([fetched.network, fetched.metadata["sourceSha256"]], ["lpips", sums.join()]);
      assert.deepEqual(fetched.notes, []);
      const path = `${folder}/lpips-alexnet.safetensors`;
      assert.equal(await right(get({ source, also })), path);
      const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
      assert.deepEqual(names, ["lpips-alexnet.safetensors"]);
      assert.match(await sentence(get({}, { url: source.url })), /made of two files, expected no/);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  }));

Deno.test("fetch with a part of a sum says so, and tells the whole one", () =>
  inFolder(async (folder) => {
    const bytes = await writeTorchZip(published(torchName, true)), server = serveFile(bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const entry = catalogue.find(({ name }) => name === "vgg19") ?? assert.fail();
    const fetchAs = (known: string) =>
      fetchWeights(
        { ...entry, source: { url: server.url, sha256: known } },
        { cache: folder, signal: new AbortController().signal, retries: 0 },
      );
    try {
      assert.match(await sentence(fetchAs("01234567")), /its SHA-256 is [0-9a-f]{64}, expected/);
      const fetched = await right(fetchAs(sha256.slice(0, 8)));
      assert.ok(typeof fetched !== "string");
      const note = fetched.notes.find((text) => text.startsWith("Only 8 of the 64 digits")) ?? "";
      assert.ok(note.includes(sha256), note);
    } finally {
      await server.close();
    }
  }));

Deno.test("the list says which sums pin a file, what was read up and what is from memory", async () => {
  const result = await run("list", "--cache", "nowhere");
  if (E.isLeft(result)) assert.fail(result.left);
  const text = String(result.right.text);
  const of = (name: string): string =>
    text.split(/^(?=[+-] )/m).find((part) => part.startsWith(`- ${name} `)) ?? assert.fail(name);
  assert.match(of("fid"), /SHA-256 pinned\n/);
  assert.match(of("vgg19"), /not pinned, 8 of 64 digits are known\n.*from memory: licence/);
  assert.match(of("vggface"), /SHA-256 unknown/);
  for (const entry of catalogue) {
    assert.ok(text.includes(entry.evidence.read), entry.name);
    const digits = entry.source?.sha256.length;
    assert.ok(digits === undefined || digits === 64 || digits === 8, entry.name);
    assert.equal(sumOf(entry) === "whole", digits === 64);
  }
});

Deno.test("the catalogue: sums are hexadecimal, addresses are safe, each name stands once", () => {
  const names = catalogue.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const isSound = (entry: CatalogueEntry): boolean =>
    sourcesOf(entry).every(({ sha256, url }) =>
      /^[0-9a-f]{8,64}$/.test(sha256) && url.startsWith("https://")
    ) &&
    (entry.also === undefined || entry.source !== undefined) &&
    (entry.npm === undefined) === (entry.network !== undefined);
  assert.deepEqual(catalogue.filter((entry) => !isSound(entry)), []);
});

Deno.test("wrong words are answered with the right ones", async () => {
  const said = async (...args: readonly string[]): Promise<string> => {
    const result = await run(...args);
    if (E.isRight(result)) assert.fail("it was accepted");
    return result.left;
  };
  assert.match(await said("lits"), /expected list/);
  assert.match(await said("convert", "one"), /expected two paths/);
  assert.match(await said("convert", "nowhere", "out"), /nowhere.*does not exist/);
  assert.match(await said("convert", "a", "b", "--as", "vgg"), /expected one of vgg19, vggface/);
  assert.match(await said("fetch", "vgg18"), /expected vgg19/);
  assert.match(await said("fetch"), /there is no name/);
  assert.match(await said("fetch", "vggface"), /no file with a known sum is published/);
  assert.match(await said("fetch", "faceres"), /npm brings it/);
  assert.ok(E.isRight(await run("list", "--cache", "nowhere")));
});
