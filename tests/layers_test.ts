/**
 * The layers of the project, read from its import statements: who may import whom, who may name a
 * package, no circles, no file too long to have one job.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseCircular, parseDependencyTree } from "npm:dpdm@4.3.0";

const root = new URL("../", import.meta.url);

/** Every module of the repository, by its path. */
const readModules = async (folder = ""): Promise<ReadonlyMap<string, string>> => {
  const modules = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    if (/^\.|^(node_modules|runs|coverage)$/.test(name)) continue;
    const path = folder + name;
    if (isDirectory) (await readModules(`${path}/`)).forEach((text, at) => modules.set(at, text));
    else if (/\.(ts|js|py)$/.test(name)) {
      modules.set(path, await Deno.readTextFile(new URL(path, root)));
    }
  }
  return modules;
};

/** What a module names: imports of values and types, and packages in strings; not its comments. */
const specifiersOf = (text: string): readonly string[] => {
  const code = text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
  const statements = /\bfrom\s+"([^"\s]+)"|\bimport\s*\(?"([^"\s]+)"/g;
  const strings = /"((?:npm|jsr|https?):[^"\s]*)"|new URL\("([^"\s]+\.ts)"/g;
  return [...code.matchAll(statements), ...code.matchAll(strings)]
    .map(([, a, b]) => a ?? b ?? "")
    .filter((specifier) => !specifier.startsWith(".") || specifier.endsWith(".ts"))
    .filter((specifier) => !specifier.startsWith("http://www.w3.org/")); // names of XML
};

interface Import {
  readonly from: string;
  /** A path of the repository, or the specifier itself where it is none. */
  readonly to: string;
}

const modules = await readModules();
const imports: readonly Import[] = [...modules].filter(([path]) => path.endsWith(".ts"))
  .flatMap(([from, text]) =>
    [...new Set(specifiersOf(text))].map((specifier) => ({
      from,
      to: specifier.startsWith(".")
        ? new URL(specifier, new URL(from, root)).href.slice(root.href.length)
        : specifier,
    }))
  );
const ours = imports.filter(({ to }) => modules.has(to));
const told = ({ from, to }: Import): string => `${from} imports ${to}`;

/** A layer and what it may import besides itself. */
const layers: readonly (readonly [layer: RegExp, allowed: RegExp])[] = [
  [/^pipeline\/core\//, /^$/],
  [/^backends\//, /^pipeline\/core\//],
  [/^models\//, /^(pipeline\/core|backends)\//],
  [/^datasets\//, /^pipeline\/core\/|^backends\/face\.ts$/],
  [/^pipeline\/metrics\//, /^(pipeline\/(core|programs)|backends|models|datasets)\//],
  [/^pipeline\/programs\//, /^(pipeline\/(core|metrics)|backends|models|datasets)\//],
  [/^bench\//, /^(pipeline\/(core|metrics|programs)|backends|models|datasets)\//],
  [/^pipeline\/cli\//, /^(pipeline|bench|backends|models|datasets)\/|^mod\.ts$/],
  [/^mod\.ts$/, /^(pipeline\/(core|metrics|programs)|backends|models|datasets)\//],
  [/^cli\.ts$/, /^pipeline\/|^mod\.ts$/],
  [/^examples\//, /^mod\.ts$/],
  [/^vendor\//, /^$/],
];

/** Packages that only some files may name, so that replacing one is a change in one place. */
const packages: readonly (readonly [named: RegExp, allowed: RegExp])[] = [
  [/^npm:@tensorflow\//, /^backends\/tf\.ts$/],
  [/^npm:(@vladmandic\/|.*face)/, /^backends\/face\w*\.ts$/],
  [/^npm:(fp-ts|io-ts)/, /^pipeline\/core\/fp\w*\.ts$/],
  [/^npm:@bufbuild\//, /^(models\/weights\/caffemodel|pipeline\/programs\/log\/event_file)\.ts$/],
  [/^npm:(@observablehq\/|linkedom)/, /^pipeline\/programs\/plot\/draw\.ts$/],
  [/^npm:@zip\.js\//, /^models\/weights\/pth\.ts$/],
];

const isLibrary = (path: string): boolean =>
  /^(mod\.ts|(pipeline|backends|models|datasets)\/)/.test(path) &&
  !path.startsWith("pipeline/cli/");

Deno.test("the reader of imports sees every form and no comment", () => {
  const text = [
    'import a from "./a.ts";',
    'import type { B } from "./b.ts";',
    "import {",
    "  c,",
    '} from "./c.ts";',
    'export * from "./d.ts";',
    'import "./e.ts";',
    'const f = () => import("./f.ts");',
    'const g = import.meta.resolve("npm:g@1");',
    'const h = new URL("./h.ts", import.meta.url);',
    '/** Like import "./not.ts";',
    ' * or from "./not.ts". */',
    '// import "./not.ts";',
  ].join("\n");
  const names = specifiersOf(text).toSorted();
  const local = ["a", "b", "c", "d", "e", "f", "h"].map((name) => `./${name}.ts`);
  assert.deepEqual(names, [...local, "npm:g@1"]);
  assert.ok(ours.length > 300 && imports.length > ours.length);
});

for (const [layer, allowed] of layers) {
  Deno.test(`${layer.source} imports only itself and ${allowed.source}`, () => {
    assert.ok([...modules.keys()].some((path) => layer.test(path)));
    const wrong = ours.filter(({ from, to }) =>
      layer.test(from) && !layer.test(to) && !allowed.test(to)
    );
    assert.deepEqual(wrong.map(told), []);
  });
}

for (const [named, allowed] of packages) {
  Deno.test(`${named.source} is named only in ${allowed.source}`, () => {
    const wrong = imports.filter(({ from, to }) =>
      isLibrary(from) && named.test(to) && !allowed.test(from)
    );
    assert.deepEqual(wrong.map(told), []);
  });
}

Deno.test("the library names packages by npm: with a whole version, so that a URL imports it", () => {
  const wrong = imports.filter(({ from, to }) =>
    (isLibrary(from) || from.startsWith("examples/")) && !modules.has(to) &&
    from !== "models/weights/catalogue.ts" && // addresses of weights are no imports
    !/^npm:(@[^/]+\/)?[^@/]+@\d+\.\d+\.\d+(\/|$)|^node:/.test(to)
  );
  assert.deepEqual(wrong.map(told), []);
});

Deno.test("only the command line, the benches and the tests import @std", () => {
  const wrong = imports.filter(({ from, to }) =>
    /@std\//.test(to) && !/^(cli\.ts|pipeline\/cli\/|bench\/|tests\/|vendor\/)/.test(from)
  );
  assert.deepEqual(wrong.map(told), []);
});

/** Circles among modules and what they import, by value or by type. */
const circlesIn = async (context: string, roots: readonly string[]): Promise<{
  readonly read: number;
  readonly circles: readonly string[];
}> => {
  const exclude = /(^|\/)(node_modules|vendor)\//;
  const paths = roots.map((path) => `${context}/${path}`);
  const tree = await parseDependencyTree(paths, { context, exclude, transform: false });
  const circles = parseCircular(tree).map((circle) => circle.join(" → "));
  return { read: Object.keys(tree).length, circles };
};

Deno.test("no module imports itself in a circle, by type neither", async () => {
  const roots = [...modules.keys()].filter((path) => /^(mod|cli)\.ts$|_test\.ts$/.test(path));
  const { read, circles } = await circlesIn(fileURLToPath(root).replace(/\/$/, ""), roots);
  assert.ok(read > 300, `only ${read} modules were read`);
  assert.deepEqual(circles, []);
});

Deno.test("a circle by a type alone would be found", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/a.ts`,
      'import type { B } from "./b.ts"; export type A = B;',
    );
    await Deno.writeTextFile(`${folder}/b.ts`, 'export type { A as B } from "./a.ts";');
    assert.deepEqual((await circlesIn(folder, ["a.ts"])).circles, ["a.ts → b.ts"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("no file is too long to have one job", () => {
  const generated = /^backends\/wasm\/(\w+_)?binary\.ts$/;
  const long = [...modules].filter(([path]) => !generated.test(path)).flatMap(([path, text]) => {
    const lines = text.trimEnd().split("\n").length;
    // Networks and kernels may be longer; mod.ts is a list of names.
    const most = /^((backends|models)\/|mod\.ts$)/.test(path)
      ? 400
      : path.startsWith("tests/")
      ? 320
      : 260;
    return lines > most ? [`${path} has ${lines} lines, expected at most ${most}`] : [];
  });
  assert.deepEqual(long, []);
});
