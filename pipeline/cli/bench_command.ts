/**
 * `deno task bench`.
 *
 * @module
 */
import { timeConvolutions } from "../../bench/convolutions.ts";
import { contentSeconds } from "../../bench/content.ts";
import { comparable, inferenceSeconds, metaStepSeconds } from "../../bench/networks.ts";
import { ratiosTo, type Report, reportText } from "../../bench/report.ts";
import type { Effort } from "../core/timing.ts";
import { type BackendChoice, selectBackend } from "../../backends/select.ts";
import { type Preset, presetNames, presets } from "../../models/presets.ts";
import { makeEnv } from "../core/env.ts";
import type { Backend } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import { peakBytes, processor } from "../core/machine.ts";
import type { Command } from "./command.ts";
import type { Option, Parsed } from "./options.ts";
import { say } from "./terminal.ts";

const parts = ["meta-step", "frame", "embed", "content", "convolutions"] as const;
type Part = typeof parts[number];
const backends = ["auto", "webgpu", "wasm", "cpu", "native"] as const;

const options: readonly Option[] = [
  { name: "preset", value: "NAME", help: `${presetNames.join(", ")} (toy-64)` },
  { name: "backend", value: "NAME", help: `${backends.join(", ")} (auto)` },
  { name: "only", value: "LIST", help: `some of ${parts.join(",")} (meta-step,frame,embed)` },
  { name: "shots", value: "K", help: "source frames of a step (8)" },
  { name: "batch", value: "B", help: "sequences of a step (1)" },
  { name: "threads", value: "N", help: "threads of wasm (the processor's)" },
  { name: "runs", value: "N", help: "timed runs, of which the median counts (15)" },
  {
    name: "baseline",
    value: "FILE",
    help: "an earlier report, or another program's: adds ratios (none)",
  },
  {
    name: "fail-above",
    value: "RATIO",
    help: "fail where a ratio to the baseline is above this (never)",
  },
  { name: "json", help: "print the report as one JSON object on stdout" },
];

interface Settings {
  readonly name: string;
  readonly preset: Preset;
  readonly backend: BackendChoice;
  readonly parts: readonly Part[];
  readonly threads?: number;
  readonly effort: Effort;
  readonly baseline?: unknown;
  readonly failAbove?: number;
}

const failed = (...problems: string[]): E.Either<PipelineError, never> =>
  E.left({ _tag: "Config", problems });

const failure = (message: string, cause?: unknown): E.Either<PipelineError, never> =>
  E.left({ _tag: "Backend", op: "the bench", message, cause });

const oneOf = <A extends string>(names: readonly A[], text: string): A | undefined =>
  names.find((name) => name === text);

const readBaseline = async (path: string): Promise<unknown> => {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    return undefined;
  }
};

const decode = async (parsed: Parsed): Promise<E.Either<PipelineError, Settings>> => {
  const problems: string[] = [];
  const text = (name: string): string | undefined => {
    const value = parsed[name];
    return typeof value === "string" ? value : undefined;
  };
  const choose = <A extends string>(option: string, names: readonly A[], given: string): A[] => {
    const name = oneOf(names, given);
    if (name !== undefined) return [name];
    problems.push(
      `Cannot measure --${option} ${given}: there is none, expected one of ${names.join(", ")}`,
    );
    return [];
  };
  const number = (option: string, standard: number, whole = true): number => {
    const given = text(option), value = Number(given ?? standard);
    if (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value))) return value;
    problems.push(
      `Cannot measure with --${option} ${given}: expected a ${whole ? "whole " : ""}number above 0`,
    );
    return standard;
  };
  const [name = "toy-64"] = choose("preset", presetNames, text("preset") ?? "toy-64");
  const [backend = "auto"] = choose("backend", backends, text("backend") ?? "auto");
  const chosen = (text("only") ?? "meta-step,frame,embed").split(",")
    .flatMap((part) => choose("only", parts, part));
  const shots = number("shots", 8), batch = number("batch", 1), runs = number("runs", 15);
  const threads = text("threads") === undefined ? undefined : number("threads", 1);
  const failAbove = text("fail-above") === undefined ? undefined : number("fail-above", 1, false);
  const path = text("baseline");
  const baseline = path === undefined ? undefined : await readBaseline(path);
  if (path !== undefined && baseline === undefined) {
    problems.push(`Cannot compare with ${path}: it is not there or no JSON, expected a report`);
  }
  if (failAbove !== undefined && path === undefined) {
    problems.push("Cannot use --fail-above: there is no --baseline to compare with");
  }
  if (problems.length > 0) return failed(...problems);
  return E.right({
    name,
    preset: comparable(presets[name], { shots, batch }),
    backend,
    parts: chosen,
    ...(threads === undefined ? {} : { threads }),
    effort: { runs, warmUpSeconds: runs > 3 ? 2 : 0, mostSeconds: 60 },
    baseline,
    ...(failAbove === undefined ? {} : { failAbove }),
  });
};

const measure = async (backend: Backend, settings: Settings): Promise<Report> => {
  const { name, preset, parts, effort } = settings, env = makeEnv({ backend });
  const { shots, batch, discriminatorSteps } = preset.training;
  const wanted = (part: Part): boolean => parts.includes(part);
  const inference = wanted("frame") || wanted("embed")
    ? await inferenceSeconds(env, preset, effort)
    : undefined;
  const content = wanted("content") ? await contentSeconds(env, original(name), effort) : undefined;
  const convolutions = wanted("convolutions")
    ? await timeConvolutions(backend, preset.architecture, shots * batch, effort)
    : undefined;
  const metaStep = wanted("meta-step") ? await metaStepSeconds(env, preset, effort) : undefined;
  return {
    preset: name,
    backend: backend.name,
    device: backend.name === "webgpu" ? backend.device : `${backend.device} (${processor()})`,
    shots,
    batch,
    discriminatorSteps,
    ...(metaStep === undefined ? {} : { metaStepSeconds: metaStep }),
    ...(inference && wanted("frame") ? { frameSeconds: inference.frameSeconds } : {}),
    ...(inference && wanted("embed") ? { embedSeconds: inference.embedSeconds } : {}),
    ...(content === undefined
      ? {}
      : { contentSeconds: content.all, contentNetworks: content.networks }),
    ...(convolutions === undefined ? {} : { convolutions }),
    peakBytes: await peakBytes(),
  };
};

const original = (name: string): Preset => presets[oneOf(presetNames, name) ?? "toy-64"];

/** The command. */
export const benchCommand: Command = {
  name: "bench",
  about: "Measures a training step, a generated frame, an embedding: medians in seconds.",
  options,
  example: "deno task bench --preset toy-64 --backend wasm --only meta-step,frame,embed --json",
  run: async (parsed) => {
    const settings = await decode(parsed);
    if (E.isLeft(settings)) return settings;
    const { backend: choice, threads, baseline, failAbove } = settings.right;
    const backend = await selectBackend(choice, threads === undefined ? {} : { threads })();
    if (E.isLeft(backend)) return backend;
    try {
      const measured = await measure(backend.right, settings.right);
      const report = baseline === undefined
        ? measured
        : { ...measured, ratios: ratiosTo(measured, baseline) };
      const slow = Object.entries(report.ratios ?? {})
        .filter(([, ratio]) => failAbove !== undefined && ratio > failAbove);
      if (slow.length === 0) return E.right({ json: report, text: reportText(report) });
      say(reportText(report));
      return failure(
        slow.map(([name, ratio]) =>
          `${name} took ${ratio.toFixed(2)} times the baseline, expected at most ${failAbove}`
        ).join("; "),
      );
    } catch (cause) {
      return failure(cause instanceof Error ? cause.message : String(cause), cause);
    } finally {
      await backend.right.close();
    }
  },
};
