/**
 * What `deno task bench` is told.
 *
 * @module
 */
import { type CurveRequest, parseCurve } from "../../bench/curves.ts";
import { type DriveBench, filmForms } from "../../bench/drive.ts";
import type { BackendChoice } from "../../backends/select.ts";
import { type PresetName, presetNames } from "../../models/presets.ts";
import type { Err } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { Effort } from "../core/timing.ts";
import type { Option, Parsed } from "./options.ts";

const parts = [
  "meta-step",
  "frame",
  "embed",
  "content",
  "convolutions",
  "kernels",
  "fine-tune",
  "drive",
] as const;
const clocks = ["wall", "processor"] as const;
const backends = ["auto", "webgpu", "wasm", "cpu", "native"] as const;

/** What can be measured. */
export type BenchPart = typeof parts[number];

/** The options of the command. */
export const benchOptions: readonly Option[] = [
  { name: "preset", value: "NAME", help: `${presetNames.join(", ")} (toy-64)` },
  { name: "backend", value: "NAME", help: `${backends.join(", ")} (auto)` },
  {
    name: "only",
    value: "LIST",
    help: `some of ${parts.join(",")} (meta-step,frame,embed; with --curve nothing)`,
  },
  { name: "shots", value: "K", help: "source frames of a step (8)" },
  { name: "batch", value: "B", help: "sequences of a step (1)" },
  {
    name: "curve",
    value: "AXIS=LIST",
    repeatable: true,
    help: "times of a step against preset, shots, batch or videos (in W): shots=1,2,4,8 (none)",
  },
  { name: "svg", value: "FILE.svg", help: "draw the curves (none)" },
  { name: "driver", value: "DRIVER", help: "a video, a saved track or synthetic:N (synthetic:7)" },
  { name: "film", value: "FORM", help: `what drive writes: ${filmForms.join(", ")} (png)` },
  { name: "frames", value: "N", help: "frames that drive makes (64)" },
  {
    name: "clock",
    value: "NAME",
    help: "wall or processor: what all threads compute, for a busy machine (wall)",
  },
  {
    name: "threads",
    value: "N",
    help: "threads of wasm and native (the processor's; 1 with --clock processor)",
  },
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

/** The options, decoded. */
export interface BenchSettings {
  readonly preset: PresetName;
  readonly backend: BackendChoice;
  readonly parts: readonly BenchPart[];
  readonly shots: number;
  readonly batch: number;
  readonly curves: readonly CurveRequest[];
  readonly svg?: string;
  readonly drive: DriveBench;
  readonly clock: typeof clocks[number];
  readonly threads?: number;
  readonly effort: Effort;
  readonly baseline?: unknown;
  readonly failAbove?: number;
}

const readBaseline = async (path: string): Promise<unknown> => {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch {
    return undefined;
  }
};

/** What the times of a report are of; other programs say nothing and mean the wall clock. */
const clockOf = (report: unknown): string => {
  const { clock }: { readonly clock?: unknown } = Object(report);
  return typeof clock === "string" ? clock : "wall";
};

/** Decodes the options; `Config` with every problem. */
export const decodeBench = async (
  parsed: Parsed,
): Promise<E.Either<Err<"Config">, BenchSettings>> => {
  const problems: string[] = [];
  const text = (name: string): string | undefined => {
    const value = parsed[name];
    return typeof value === "string" ? value : undefined;
  };
  const choose = <A extends string>(option: string, names: readonly A[], given: string): A[] => {
    const name = names.find((each) => each === given);
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
  const asked = Array.isArray(parsed.curve) ? parsed.curve.map(String) : [];
  const curves = asked.flatMap((each) => {
    const curve = parseCurve(each);
    if (typeof curve !== "string") return [curve];
    problems.push(curve);
    return [];
  });
  const [preset = "toy-64"] = choose("preset", presetNames, text("preset") ?? "toy-64");
  const [backend = "auto"] = choose("backend", backends, text("backend") ?? "auto");
  const [film = "png"] = choose("film", filmForms, text("film") ?? "png");
  const standard = asked.length > 0 ? [] : ["meta-step", "frame", "embed"];
  const chosen = (text("only")?.split(",") ?? standard)
    .flatMap((part) => choose("only", parts, part));
  const shots = number("shots", 8), batch = number("batch", 1), runs = number("runs", 15);
  const frames = number("frames", 64), driver = text("driver") ?? "synthetic:7";
  const [clock = "wall"] = choose("clock", clocks, text("clock") ?? "wall");
  const own = text("threads") === undefined && clock === "wall"; // threads that spin would count
  const threads = own ? undefined : number("threads", 1);
  const failAbove = text("fail-above") === undefined ? undefined : number("fail-above", 1, false);
  const path = text("baseline"), svg = text("svg");
  const baseline = path === undefined ? undefined : await readBaseline(path);
  if (path !== undefined && baseline === undefined) {
    problems.push(`Cannot compare with ${path}: it is not there or no JSON, expected a report`);
  }
  if (baseline !== undefined && clockOf(baseline) !== clock) {
    problems.push(
      `Cannot compare with ${path}: its times are by the ${clockOf(baseline)} clock, expected ` +
        `--clock ${clockOf(baseline)}`,
    );
  }
  if (failAbove !== undefined && path === undefined) {
    problems.push("Cannot use --fail-above: there is no --baseline to compare with");
  }
  if (svg !== undefined && asked.length === 0) {
    problems.push(`Cannot draw ${svg}: there is no --curve to draw`);
  }
  if (problems.length > 0) return E.left({ _tag: "Config", problems });
  return E.right({
    ...{ preset, backend, parts: chosen, shots, batch, curves, clock, baseline },
    drive: { driver, film, frames },
    ...(svg === undefined ? {} : { svg }),
    ...(threads === undefined ? {} : { threads }),
    effort: { runs, warmUpSeconds: runs > 3 ? 2 : 0, mostSeconds: 60 },
    ...(failAbove === undefined ? {} : { failAbove }),
  });
};
