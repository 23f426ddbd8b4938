/**
 * `mod.ts` imported from a URL by a script in an empty folder: no deno.json, no import map, no
 * file of the repository beside it. Bare specifiers, paths of files and workers would break there.
 */
import assert from "node:assert/strict";
import { type Served, serveRepository } from "./serve.ts";
import { type Ended, inFolder } from "./support.ts";

const modules = /from "(\.\.\/)+mod\.ts"/;

const rights = ["--no-prompt", "--allow-read", "--allow-env", "--allow-sys"] as const;

/** A script of the repository as somebody writes it who has only the URL. */
const scriptFor = async ({ url }: Served, path: string): Promise<string> => {
  const text = await Deno.readTextFile(new URL(path, import.meta.url));
  assert.match(text, modules);
  return text.replace(modules, `from "${url}mod.ts"`);
};

/** Runs deno in the folder; the port may have served other modules before, so nothing is reused. */
const deno = async (
  { url, host }: Served,
  cwd: string,
  [command, ...args]: readonly [string, ...string[]],
): Promise<Ended> => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [command, `--reload=${url}`, `--allow-import=${host}`, ...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
};

/** Removes what Deno kept of a server that will not be there again. */
const forget = async ({ host }: Served): Promise<void> => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { modulesCache, typescriptCache } = JSON.parse(new TextDecoder().decode(stdout));
  for (const cache of [modulesCache, typescriptCache]) {
    await Deno.remove(`${cache}/http/${host.replace(":", "_PORT")}`, { recursive: true })
      .catch(() => {});
  }
};

const fromUrl = async (
  test: (server: Served, folder: string) => Promise<void>,
  change?: (path: string, text: string) => string,
): Promise<void> => {
  await using server = serveRepository(change);
  try {
    await inFolder((folder) => test(server, folder));
  } finally {
    await forget(server);
  }
};

Deno.test("a pipeline of one's own type-checks and trains with mod.ts from a URL", () =>
  fromUrl(async (server, folder) => {
    const script = await scriptFor(server, "../../examples/custom_pipeline.ts");
    await Deno.writeTextFile(`${folder}/script.ts`, script);
    const wrong = '// @ts-expect-error: a number\nexport const rng = hs.makeRng("one");\n';
    await Deno.writeTextFile(`${folder}/typed.ts`, script + wrong);
    const checked = await deno(server, folder, ["check", "typed.ts"]);
    assert.equal(checked.code, 0, checked.stderr);
    const ran = await deno(server, folder, ["run", ...rights, "script.ts"]);
    assert.equal(ran.code, 0, ran.stderr);
    const losses = [...ran.stdout.matchAll(/^step \d+: content ([\d.]+), D ([\d.]+)$/gm)];
    assert.equal(losses.length, 10, ran.stdout);
    assert.ok(server.asked.has("mod.ts"));
  }));

Deno.test("kernels, codecs and workers load when mod.ts comes from a URL", () =>
  fromUrl(async (server, folder) => {
    const script = await scriptFor(server, "./from_url/loaders.ts");
    await Deno.writeTextFile(`${folder}/script.ts`, script);
    const ran = await deno(server, folder, ["run", ...rights, "--allow-write", "script.ts"]);
    assert.equal(ran.code, 0, ran.stderr);
    const { device, ...counts } = JSON.parse(ran.stdout);
    assert.match(device, /^wasm, 2 threads/);
    assert.deepEqual(counts, { found: 2, clips: 2, usable: 2 });
    for (const worker of ["backends/face_worker.ts", "datasets/video/clip_worker.ts"]) {
      assert.ok(server.asked.has(worker), worker);
    }
  }));

// `deno check` says nothing about modules of others, so it is running that tells.
for (const specifier of ["@std/cli/parse-args", "fp-ts"]) {
  Deno.test(`${specifier} as a bare specifier in the library would be found here`, () =>
    fromUrl(async (server, folder) => {
      const script = await scriptFor(server, "../../examples/custom_pipeline.ts");
      await Deno.writeTextFile(`${folder}/script.ts`, script);
      const ran = await deno(server, folder, ["run", ...rights, "script.ts"]);
      assert.equal(ran.code, 1);
      assert.match(ran.stderr, /not a dependency|Relative import path/);
    }, (path, text) => path === "datasets/sample.ts" ? `import "${specifier}";\n${text}` : text));
}
