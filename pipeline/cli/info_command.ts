/**
 * `deno task info`.
 *
 * @module
 */
import { type BackendChoice, selectBackend } from "../../backends/select.ts";
import { describe, findAdapter, isSoftware } from "../../backends/webgpu/device.ts";
import { decodeConfig, oneOf, path, strict } from "../core/config.ts";
import { renderError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import { bytesText } from "../programs/memory_check.ts";
import { listWeights } from "../programs/weights/install.ts";
import type { Command } from "./command.ts";
import type { Option } from "./options.ts";
import { settingsOf, yes } from "./settings.ts";
import { npmPath } from "./weights_command.ts";

const options: readonly Option[] = [
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm, native or cpu (auto)" },
  { name: "cache", value: "DIR", help: "where fetched weights are (.cache/weights)" },
  { name: "json", help: "print the same as one JSON object on stdout" },
];

const Settings = strict({}, {
  backend: oneOf(["auto", "webgpu", "wasm", "cpu", "native"]),
  cache: path,
  json: yes,
});

/** What the machine has. */
interface Info {
  readonly deno: string;
  readonly system: string;
  /** Where `auto` computes, or what `--backend` names; a sentence where it does not start. */
  readonly backend: string;
  readonly largestTensor?: number;
  readonly memory?: number;
  readonly adapter: string;
  /** The first line of what it says of itself. */
  readonly ffmpeg: string;
  readonly weights: readonly {
    readonly name: string;
    readonly serves: string;
    readonly path: string | null;
    readonly get?: string;
  }[];
}

const backendOf = async (
  choice: BackendChoice,
): Promise<Pick<Info, "backend" | "largestTensor" | "memory">> => {
  const started = await selectBackend(choice)();
  if (E.isLeft(started)) return { backend: renderError(started.left) };
  const { device, maxTensorBytes, maxBytes, close } = started.right;
  await close();
  return {
    backend: device,
    ...(Number.isFinite(maxTensorBytes) ? { largestTensor: maxTensorBytes } : {}),
    ...(maxBytes === undefined ? {} : { memory: maxBytes }),
  };
};

const adapterOf = async (): Promise<string> => {
  const adapter = await findAdapter();
  if (!adapter) return "none";
  return `${describe(adapter.info)}${isSoftware(adapter.info) ? " (software)" : ""}`;
};

const ffmpegOf = async (): Promise<string> => {
  try {
    const { stdout } = await new Deno.Command("ffmpeg", {
      args: ["-version"],
      stdin: "null",
      stderr: "null",
    }).output();
    const [first = "without a version"] = new TextDecoder().decode(stdout).split("\n");
    return first.replace(/ Copyright.*/, "");
  } catch {
    return "not on the path: the binary of an npm package is fetched when it is needed";
  }
};

const look = async (choice: BackendChoice, cache: string): Promise<Info> => {
  const weights = await listWeights(cache, npmPath)();
  return {
    deno: Deno.version.deno,
    system: `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} threads`,
    ...await backendOf(choice),
    adapter: await adapterOf(),
    ffmpeg: await ffmpegOf(),
    weights: (E.isRight(weights) ? weights.right : []).map(({ name, serves, path, get }) => ({
      name,
      serves,
      path: path ?? null,
      ...(get === undefined ? {} : { get }),
    })),
  };
};

const text = (info: Info): string => {
  const { deno, system, backend, memory, largestTensor, adapter, ffmpeg, weights } = info;
  const limits = [
    ...(memory === undefined ? [] : [`at most ${bytesText(memory)}`]),
    ...(largestTensor === undefined ? [] : [`a tensor at most ${bytesText(largestTensor)}`]),
  ];
  return [
    `deno      ${deno} on ${system}`,
    `backend   ${[backend, ...limits].join("; ")}`,
    `adapter   ${adapter}`,
    `ffmpeg    ${ffmpeg}`,
    "weights",
    ...weights.map(({ name, serves, path, get }) =>
      `  ${path === null ? "-" : "+"} ${name.padEnd(20)}${path ?? `${get}; serves ${serves}`}`
    ),
  ].join("\n");
};

/** The command. */
export const infoCommand: Command = {
  name: "info",
  about: "Says what this machine has: the backend and its limits, the GPU, ffmpeg, weights.",
  options,
  example: "deno task info",
  run: async (parsed) => {
    const settings = decodeConfig(Settings, "the options")(settingsOf(options, parsed));
    if (E.isLeft(settings)) return settings;
    const { backend = "auto", cache = ".cache/weights" } = settings.right;
    const info = await look(backend, cache);
    return E.right({ json: info, text: text(info) });
  },
};
