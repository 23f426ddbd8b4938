import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E, type t } from "../../../pipeline/core/fp.ts";
import {
  decodeConfig,
  flag,
  fraction,
  listOf,
  nonNegativeInteger,
  nonNegativeNumber,
  oneOf,
  path,
  positiveInteger,
  positiveNumber,
  rate,
  strict,
  text,
} from "../../../pipeline/core/config.ts";
import { mergeConfig, parseJsonc, readConfigFile } from "../../../pipeline/core/config_file.ts";
import { differences, renderDifference } from "../../../pipeline/core/differences.ts";
import { editDistance, nearest } from "../../../pipeline/core/words.ts";

const codec = strict({
  steps: positiveInteger,
  batch: positiveInteger,
  preset: oneOf(["test-16", "toy-64", "small-128", "paper-256"]),
  optimiser: strict({ learningRate: rate, beta2: fraction }),
  content: listOf(strict({ network: text, weight: nonNegativeNumber }, { path })),
}, { note: text });

const good: t.TypeOf<typeof codec> = {
  steps: 100,
  batch: 1,
  preset: "toy-64",
  optimiser: { learningRate: 5e-5, beta2: 0.999 },
  content: [{ network: "pixels", weight: 1 }, { network: "vgg19", weight: 0, path: "a b/ü.bin" }],
};

const problemsOf = (value: unknown): readonly string[] => {
  const decoded = decodeConfig(codec)(value);
  return E.isLeft(decoded) ? decoded.left.problems : [];
};

Deno.test("a good configuration decodes to itself, before and after JSON", () => {
  assert.deepEqual(decodeConfig(codec)(good), E.right(good));
  assert.deepEqual(decodeConfig(codec)(JSON.parse(JSON.stringify(good))), E.right(good));
  assert.ok(codec.is(good) && !codec.is({ ...good, more: 1 }));
});

Deno.test("every problem is listed at once, each with its path and what was expected", () => {
  assert.deepEqual(
    problemsOf({
      steps: -5,
      batch: "4",
      preset: "toy-46",
      optimiser: { learning_rate: 1e-4, beta2: NaN },
      content: [{ network: "", weight: -1 }, 7],
      note: undefined,
    }),
    [
      "Cannot use config: steps is -5, expected a positive integer",
      'Cannot use config: batch is "4", expected a positive integer',
      'Cannot use config: preset is "toy-46", expected one of test-16, toy-64, small-128, ' +
      "paper-256 (did you mean toy-64?)",
      "Cannot use config: optimiser.learning_rate is not a key, expected learningRate",
      "Cannot use config: optimiser.learningRate is missing, expected a number above 0 and at most 1",
      "Cannot use config: optimiser.beta2 is NaN, expected a number from 0 to 1",
      'Cannot use config: content[0].network is "", expected a text that is not empty',
      "Cannot use config: content[0].weight is -1, expected a number of at least 0",
      "Cannot use config: content[1] is 7, expected an object",
    ],
  );
  for (const value of [undefined, null, 3, [], "x"]) assert.equal(problemsOf(value).length, 1);
  assert.deepEqual(problemsOf(null), ["Cannot use config: config is null, expected an object"]);
});

Deno.test("keys of Object.prototype are unknown keys, and missing ones are not inherited", () => {
  const polluting: unknown = JSON.parse('{"__proto__": {"steps": 3}, "constructor": 1}');
  const problems = problemsOf(polluting);
  assert.ok(problems.some((problem) => problem.includes("__proto__ is not a key")));
  assert.ok(problems.some((problem) => problem.includes("constructor is not a key")));
  assert.ok(problems.some((problem) => problem.includes("steps is missing")));
  assert.ok(problemsOf(Object.create({ ...good })).some((p) => p.includes("steps is missing")));
});

Deno.test("the codecs accept what they say and nothing else", () => {
  type Decoder = {
    readonly name: string;
    readonly is: (value: unknown) => boolean;
    readonly decode: (value: unknown) => E.Either<unknown, unknown>;
  };
  const cases: readonly (readonly [Decoder, readonly unknown[], readonly unknown[]])[] = [
    [positiveInteger, [1, 2 ** 40], [0, -1, 1.5, "1", NaN, Infinity, null, 2 ** 54, true]],
    [nonNegativeInteger, [0, 7], [-1, 0.5, "0", undefined]],
    [nonNegativeNumber, [0, 1e-9, 80], [-1e-9, NaN, Infinity, "1"]],
    [positiveNumber, [1e-9, 3], [0, -1, NaN, Infinity]],
    [rate, [1e-9, 1], [0, -1, 1.01, NaN, "0.1"]],
    [fraction, [0, 0.5, 1], [-0.1, 1.1, NaN]],
    [flag, [true, false], [0, 1, "true", null]],
    [text, ["a"], ["", 1, null]],
    [path, ["a", "/b c/ü", "-x"], ["", "a\0b", "x".repeat(5000), 1]],
    [listOf(flag, 1), [[true]], [[], [1], "x", { 0: true }]],
    [oneOf(["a"]), ["a"], ["b", "", 0, null]],
  ];
  for (const [type, yes, no] of cases) {
    for (const value of yes) {
      assert.deepEqual(type.decode(value), E.right(value), `${type.name}: ${value}`);
      assert.ok(type.is(value));
    }
    for (const value of no) {
      assert.ok(E.isLeft(type.decode(value)), `${type.name}: ${value}`);
      assert.ok(!type.is(value));
    }
  }
});

Deno.test("whatever is decoded, problems are sentences and bounded in length", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    for (const problem of problemsOf(value)) assert.match(problem, /^Cannot use config: .* is .*/s);
  }));
  const [problem = ""] = decodeConfig(positiveInteger)("x".repeat(1_000_000))._tag === "Left"
    ? problemsOf("x".repeat(1_000_000))
    : [];
  assert.ok(problem.length < 200);
});

Deno.test("the nearest word is found for slips only", () => {
  const words = ["steps", "batch", "preset", "checkpointEvery", "learningRate"];
  assert.equal(nearest("stpes", words), "steps");
  assert.equal(nearest("Batch", words), "batch");
  assert.equal(nearest("checkpoint-every", words), "checkpointEvery");
  assert.equal(nearest("learning_rate", words), "learningRate");
  assert.equal(nearest("banana", words), undefined);
  assert.equal(nearest("", words), undefined);
  assert.equal(nearest("x".repeat(1e6), words), undefined);
});

Deno.test("law: the edit distance is 0 for equal words, symmetric, and at most the longer word", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(fc.property(word, word, (a, b) => {
    assert.equal(editDistance(a, a), 0);
    assert.equal(editDistance(a, b), editDistance(b, a));
    assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    assert.ok(editDistance(a, b) >= Math.abs(a.length - b.length));
    if (a !== b) assert.ok(editDistance(a, b) > 0);
  }));
});

Deno.test("layers merge key by key; lists and plain values are replaced", () => {
  assert.deepEqual(
    mergeConfig(
      { steps: 1, optimiser: { beta1: 0, beta2: 0.9 }, content: [1, 2] },
      { optimiser: { beta2: 0.5 }, content: [3], extra: true },
      { steps: 9, optimiser: undefined, absent: undefined },
    ),
    { steps: 9, optimiser: { beta1: 0, beta2: 0.5 }, content: [3], extra: true },
  );
  assert.deepEqual(mergeConfig({ a: 1 }, [2]), [2]); // told by the decoder: expected an object
  const merged = mergeConfig({}, JSON.parse('{"__proto__": {"polluted": true}}'));
  assert.equal(Reflect.get({}, "polluted"), undefined);
  assert.deepEqual(Object.keys(Object(merged)), ["__proto__"]);
});

Deno.test("law: merging is associative, and an empty layer changes nothing", () => {
  const layer = fc.dictionary(
    fc.constantFrom("a", "b", "c"),
    fc.oneof(
      fc.integer(),
      fc.constant(undefined),
      fc.dictionary(fc.constantFrom("x", "y"), fc.integer()),
    ),
    { noNullPrototype: true },
  );
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  fc.assert(fc.property(layer, layer, layer, (a, b, c) => {
    assert.deepEqual(
      plain(mergeConfig(mergeConfig(a, b), c)),
      plain(mergeConfig(a, b, c)),
    );
    assert.deepEqual(plain(mergeConfig(a, {})), plain(a));
    assert.deepEqual(plain(mergeConfig({}, a)), plain(a));
  }));
});

Deno.test("JSON with comments: what JSON.parse reads, and where it is wrong", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
    const json = JSON.stringify(value);
    assert.deepEqual(parseJsonc(`// c\n${json} /* d */`, "f"), E.right(JSON.parse(json)));
  }));
  const problems = (source: string) => {
    const parsed = parseJsonc(source, "c.jsonc");
    return E.isLeft(parsed) ? parsed.left.problems : [];
  };
  assert.deepEqual(parseJsonc('{"a": [1, 2,], }', "f"), E.right({ a: [1, 2] }));
  assert.deepEqual(problems('{\n  "a": 1\n  "b": 2 }'), [
    "Cannot read c.jsonc: line 3, column 3: comma expected, expected JSON with comments",
  ]);
  assert.match(problems('{"a": 1, "a": 2}')[0] ?? "", /the key a is given twice/);
  assert.match(problems("")[0] ?? "", /value expected/);
  assert.equal(problems("x".repeat(100)).length > 0, true);
  assert.match(problems("[".repeat(500_000))[0] ?? "", /nested deeper than 32/);
  assert.match(problems('["]",'.repeat(200_000))[0] ?? "", /nested deeper than 32/);
});

Deno.test("a configuration file: missing, a folder, too large, not text", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const write = (name: string, content: string | Uint8Array) => {
      const file = `${folder}/${name}`;
      Deno.writeFileSync(
        file,
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      );
      return file;
    };
    const problem = async (file: string) => {
      const read = await readConfigFile(file)();
      return E.isLeft(read) ? read.left.problems.join("\n") : "none";
    };
    assert.deepEqual(
      await readConfigFile(write("bom.jsonc", '\ufeff{"steps": 3 /* three */}'))(),
      E.right({ steps: 3 }),
    );
    assert.match(await problem(`${folder}/none`), /^Cannot read .*none: it does not exist/);
    assert.match(await problem(folder), /it is a folder, expected a file/);
    assert.match(await problem(`${folder}/bom.jsonc/x`), /a part of its path is not a folder/);
    assert.match(await problem(write("large", " ".repeat(1_000_001))), /more than 1000000 bytes/);
    assert.match(await problem(write("raw", new Uint8Array([0xff, 0xfe, 0]))), /not UTF-8/);
    assert.equal(await problem(write("full", `{"a": "${"x".repeat(999_990)}"}`)), "none");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("differences name the paths, in order", () => {
  const found = differences(
    { steps: 1, same: { a: [1, 2] }, content: [{ weight: 1 }], gone: 5 },
    { steps: 2, same: { a: [1, 2] }, content: [{ weight: 3 }, {}], fresh: null },
  );
  assert.deepEqual(found.map(renderDifference), [
    "steps is 1, now 2",
    "content.0.weight is 1, now 3",
    "content.1 is not there, now {}",
    "gone is 5, now not there",
    "fresh is not there, now null",
  ]);
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.deepEqual(differences(value, structuredClone(value)), []);
  }));
});
