/**
 * The package for npm that `deno pack` makes, in an empty Deno project: its modules, wasm files
 * and workers. Its dependencies come from where Deno has them, not by an installation, which is why
 * types, which need one, are not looked at here.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Ended, inFolder } from "./support.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const run = async (command: string, args: readonly string[], cwd: string): Promise<Ended> => {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
};

const succeed = async (...what: Parameters<typeof run>): Promise<string> => {
  const { code, stdout, stderr } = await run(...what);
  assert.equal(code, 0, `${what[1][0]}: ${stderr}`);
  return stdout;
};

/** Each dependency at the version that it is pinned to, and what lies below it. */
const importMap = (dependencies: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(dependencies).flatMap(([name, range]) => {
      const exact = range.replace(/^[\^~]/, "");
      return [[name, `npm:${name}@${exact}`], [`${name}/`, `npm:/${name}@${exact}/`]];
    }),
  );

/** A script of the repository that imports the package instead. */
const rewritten = async (path: string): Promise<string> =>
  (await Deno.readTextFile(`${root}/${path}`))
    .replace(/from "(\.\.\/)+mod\.ts"/, 'from "@headshot/headshot"');

Deno.test("the npm package in an empty project: a training, codecs, workers", () =>
  inFolder(async (folder) => {
    await succeed(
      Deno.execPath(),
      ["pack", "--allow-dirty", "--output", `${folder}/headshot.tgz`],
      root,
    );
    await succeed("tar", ["xzf", "headshot.tgz"], folder);
    const packed = JSON.parse(await Deno.readTextFile(`${folder}/package/package.json`));
    const { version, license } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
    assert.deepEqual([packed.version, packed.license], [version, license]);
    for (const name of ["tests", "cli.js", "vendor", "bench"]) {
      const there = await Deno.lstat(`${folder}/package/${name}`).then(() => true, () => false);
      assert.ok(!there, `${name} is in the package`);
    }
    const imports = {
      ...importMap(packed.dependencies),
      "@headshot/headshot": `./package/${packed.exports["."].import.replace("./", "")}`,
    };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    await Deno.writeTextFile(`${folder}/train.ts`, await rewritten("examples/custom_pipeline.ts"));
    const trained = await succeed(Deno.execPath(), ["run", "-A", "--no-check", "train.ts"], folder);
    assert.equal(trained.match(/^step \d+: content [\d.]+, D [\d.]+$/gm)?.length, 10, trained);
    await Deno.writeTextFile(
      `${folder}/loaders.ts`,
      await rewritten("tests/e2e/from_url/loaders.ts"),
    );
    const loaded = JSON.parse(
      await succeed(Deno.execPath(), ["run", "-A", "--no-check", "loaders.ts"], folder),
    );
    assert.match(loaded.device, /^wasm/);
    assert.equal(loaded.clips, 2);
  }));
