/**
 * `deno task weights list | convert IN… OUT | fetch NAME`.
 *
 * @module
 */
import { faceResPath } from "../../models/perceptual/faceres.ts";
import { publishedNames, publishedNetworks } from "../../models/weights/published.ts";
import { catalogue, catalogueNames } from "../../models/weights/catalogue.ts";
import type { NetworkName, Preprocessing } from "../../models/weights/architecture.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import { withSignals } from "../core/signals.ts";
import { nearest } from "../core/words.ts";
import {
  type Conversion,
  convertFiles,
  fetchWeights,
  type Installed,
  listWeights,
} from "../programs/weights/install.ts";
import type { Command, Outcome } from "./command.ts";
import type { Option, Parsed } from "./options.ts";
import { say, terminalSink } from "./terminal.ts";

const options: readonly Option[] = [
  {
    name: "action",
    value: "list | convert IN… OUT | fetch NAME",
    positional: true,
    repeatable: true,
    help: "what to do (list); LPIPS is converted from two files",
  },
  { name: "cache", value: "DIR", help: "where fetched weights are (.cache/weights)" },
  {
    name: "as",
    value: "NAME",
    help: `convert: the network it is, of ${publishedNames.join(", ")} (recognised)`,
  },
  {
    name: "preprocessing",
    value: "caffe|imagenet",
    help: "convert: how a PyTorch VGG wants its pictures (the known one)",
  },
  { name: "licence", value: "TEXT", help: "convert: what the file says of its licence (unknown)" },
  { name: "url", value: "URL", help: "fetch: another address (the catalogue's)" },
  { name: "sha256", value: "HEX", help: "fetch: the sum of the file there (the catalogue's)" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

type Result = E.Either<PipelineError, Outcome>;

const bad = (...problems: string[]): E.Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems });

const text = (value: Parsed[string] | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

const cacheOf = (parsed: Parsed): string => text(parsed["cache"]) ?? ".cache/weights";

const isNetwork = (name: string): name is NetworkName => publishedNames.includes(name);
const isPreprocessing = (name: string): name is Preprocessing =>
  name === "caffe" || name === "imagenet";

const howToUse = ({ path, network }: Conversion): readonly string[] => {
  const serves = publishedNetworks.find(({ name }) => name === network)?.serves ?? "";
  return serves.startsWith("content")
    ? [`Use it with: deno task meta-train --preset paper-256 --content ${network}=${path}`]
    : [`It serves ${serves}`];
};

const told = (conversion: Conversion): string => {
  const { path, network, from, tensors, parameters, unused, notes } = conversion;
  return [
    `Wrote ${path}: ${network} from ${from}, ${tensors} tensors, ${
      parameters.toLocaleString("en")
    } parameters`,
    ...(unused.length > 0
      ? [
        `Not used: ${unused.slice(0, 6).join(", ")}${
          unused.length > 6 ? ` and ${unused.length - 6} more` : ""
        }`,
      ]
      : []),
    ...notes,
    ...howToUse(conversion),
  ].join("\n");
};

const outcome = (conversion: Conversion): Result =>
  E.right({ json: conversion, text: told(conversion) });

const convert = async (words: readonly string[], parsed: Parsed): Promise<Result> => {
  const inputs = words.slice(0, -1), output = words.at(-1);
  if (output === undefined || inputs.length === 0) {
    return bad(
      "Cannot convert weights: expected two paths, IN and OUT, or more where a network is " +
        "published in several files",
    );
  }
  const as = text(parsed["as"]), preprocessing = text(parsed["preprocessing"]);
  const licence = text(parsed["licence"]);
  if (as !== undefined && !isNetwork(as)) {
    return bad(`Cannot use --as: it is "${as}", expected one of ${publishedNames.join(", ")}`);
  }
  if (preprocessing !== undefined && !isPreprocessing(preprocessing)) {
    return bad(`Cannot use --preprocessing: it is "${preprocessing}", expected caffe or imagenet`);
  }
  const converted = await convertFiles(inputs, output, {
    ...(as === undefined ? {} : { as }),
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(licence === undefined ? {} : { licence }),
  })();
  return E.isLeft(converted) ? converted : outcome(converted.right);
};

const fetchOne = async (words: readonly string[], parsed: Parsed): Promise<Result> => {
  const [name, ...more] = words;
  const entry = catalogue.find((each) => each.name === name);
  if (name === undefined || more.length > 0 || !entry) {
    const meant = nearest(name ?? "", catalogueNames);
    return bad(
      `Cannot fetch weights: there is ${
        name === undefined ? "no name" : `no "${name}"`
      }, expected ${meant ?? `one of ${catalogueNames.join(", ")}`}`,
    );
  }
  const url = text(parsed["url"]), sha256 = text(parsed["sha256"]);
  const fetched = await withSignals(async (signal) => {
    const terminal = terminalSink();
    const megabyte = (bytes: number): number => Math.round(bytes / 1e5) / 10;
    try {
      return await fetchWeights(entry, {
        cache: cacheOf(parsed),
        signal,
        progress: (done, of) =>
          terminal.emit({
            _tag: "Progress",
            what: `${name} (MB)`,
            done: megabyte(done),
            of: megabyte(of ?? done),
          }),
        ...(url === undefined ? {} : { url }),
        ...(sha256 === undefined ? {} : { sha256 }),
      })();
    } finally {
      await terminal.close();
    }
  }, { onStop: () => say("Stopping: what was fetched is kept") });
  if (E.isLeft(fetched)) return fetched;
  return typeof fetched.right === "string"
    ? E.right({ json: { path: fetched.right }, text: `${fetched.right} is there already` })
    : outcome(fetched.right);
};

const line = (
  { name, title, serves, licence, path, metadata, get, sum, evidence }: Installed,
): string =>
  [
    `${path === undefined ? "-" : "+"} ${name.padEnd(20)}${title}`,
    `    serves ${serves}; licence ${licence}`,
    path === undefined ? `    not installed: ${get}` : `    from ${metadata?.["source"]}: ${path}`,
    ...(sum === undefined ? [] : [
      `    SHA-256 ${
        sum === "whole"
          ? "pinned"
          : sum === "unknown"
          ? "unknown: fetch wants --url and --sha256"
          : `not pinned, ${sum} are known`
      }`,
    ]),
    `    read up: ${evidence.read}${
      evidence.remembered === undefined ? "" : `; from memory: ${evidence.remembered}`
    }`,
  ].join("\n");

/** Where the weights of a network that npm brings are, where they are. */
export const npmPath = (name: string): string | undefined => {
  const path = name === "faceres" ? faceResPath() : undefined;
  return path === undefined ? "in the package" : E.isRight(path) ? path.right : undefined;
};

const list = async (words: readonly string[], parsed: Parsed): Promise<Result> => {
  if (words.length > 0) {
    return bad(`Cannot list weights: "${words[0]}" means nothing, expected none`);
  }
  const installed = await listWeights(cacheOf(parsed), npmPath)();
  return E.isLeft(installed)
    ? installed
    : E.right({ json: installed.right, text: installed.right.map(line).join("\n") });
};

const actions: Readonly<
  Record<string, (words: readonly string[], parsed: Parsed) => Promise<Result>>
> = { list, convert, fetch: fetchOne };

/** The command. */
export const weightsCommand: Command = {
  name: "weights",
  about: "Lists, converts and fetches the weights of networks that losses and metrics use.",
  options,
  example: "deno task weights convert VGG_FACE.caffemodel .cache/weights/vggface.safetensors",
  run: (parsed) => {
    const given = parsed["action"];
    const [action = "list", ...words] = Array.isArray(given) ? given : [];
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (act) return act(words, parsed);
    return Promise.resolve(bad(
      `Cannot run weights: "${action}" is nothing that it does, expected ${
        nearest(action, Object.keys(actions)) ?? "list, convert or fetch"
      }`,
    ));
  },
};
