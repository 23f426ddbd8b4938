/**
 * `deno task soak [--steps N] [--every N] [--preset NAME] [--backend NAME] [--folder DIR] [--plant
 * leaks]`: trains on synthetic heads and looks every so many steps at what grows and what dies.
 * Exit code 1 where something does. `soak.jsonl` in the folder has every look, `run/` the run.
 */
import { parseArgs } from "node:util";
import { selectBackend } from "../../backends/select.ts";
import { makeEnv } from "../../pipeline/core/env.ts";
import { renderError } from "../../pipeline/core/errors.ts";
import type { TrainEvent } from "../../pipeline/core/events.ts";
import { E } from "../../pipeline/core/fp.ts";
import { eventLine } from "../../pipeline/core/sinks.ts";
import { metaTrain } from "../../pipeline/programs/meta_train.ts";
import { decodeRunConfig } from "../../pipeline/programs/run_config.ts";
import { leakingMethod } from "./leaking.ts";

/** One look. */
export interface Look {
  readonly step: number;
  readonly tensors: number;
  /** Resident memory in MiB. */
  readonly resident: number;
  /** Standard deviation of the pixels of what is painted, of 255. */
  readonly spread: number;
  /** The share of black and white in it. */
  readonly saturated: number;
  readonly l1: number;
}

/** Looks before this share of them are warm-up. */
const warmUp = 1 / 3;
/** By the line through the looks after warm-up resident memory may grow so much in all, in MiB. */
const mostGrowth = 64;
/** Pictures are judged from this step on: a new generator paints nothing yet. */
const grown = 300;
/** Less spread, or more black and white, is a collapse. */
const leastSpread = 8, mostSaturated = 0.5;

/** What the line through points (least squares) gains from the first to the last. */
export const growthOf = (points: readonly (readonly [x: number, y: number])[]): number => {
  const n = points.length, [first = [0], last = [0]] = [points[0], points.at(-1)];
  const mean = (i: 0 | 1): number => points.reduce((sum, point) => sum + point[i], 0) / n;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  const below = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return below === 0 ? 0 : above / below * (last[0] - first[0]);
};

/** What is wrong with a run by its looks and events, a sentence each. */
export const problemsOf = (
  looks: readonly Look[],
  events: readonly TrainEvent[],
): readonly string[] => {
  const problems: string[] = [], warm = looks.slice(Math.floor(looks.length * warmUp));
  const [first] = warm, most = Math.max(...warm.map(({ tensors }) => tensors));
  if (!first || warm.length < 5) return [`only ${warm.length} looks after warm-up, expected 5`];
  if (most > first.tensors) problems.push(`tensors grow from ${first.tensors} to ${most}`);
  const growth = growthOf(warm.map(({ step, resident }) => [step, resident]));
  if (growth > mostGrowth) {
    problems.push(`memory grows by ${growth.toFixed(0)} MiB, expected at most ${mostGrowth}`);
  }
  for (const event of events) {
    const guarded = event._tag === "RolledBack" || event._tag === "LeakSuspected" ||
      event._tag === "CheckpointSkipped" ||
      (event._tag === "Warning" && /not finite|has won/.test(event.message));
    if (guarded) problems.push(`the guard said: ${JSON.stringify(event)}`);
  }
  for (const { step, spread, saturated } of looks) {
    if (step >= grown && (spread < leastSpread || saturated > mostSaturated)) {
      problems.push(
        `at step ${step} pictures have spread ${spread.toFixed(1)} (expected ${leastSpread}) and ` +
          `${(100 * saturated).toFixed(0)} % black and white (expected ${100 * mostSaturated})`,
      );
    }
  }
  return problems;
};

const collectGarbage = (globalThis as { readonly gc?: () => void }).gc ?? (() => {});
const say = (line: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
};
const shown = ({ step, tensors, resident, spread, saturated, l1 }: Look): string =>
  `step ${step}: ${tensors} tensors, ${resident.toFixed(0)} MiB, spread ${spread.toFixed(1)}, ` +
  `${(100 * saturated).toFixed(1)} % black and white, L1 ${l1.toFixed(4)}`;

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      steps: { type: "string", default: "2000" },
      every: { type: "string", default: "50" },
      preset: { type: "string", default: "toy-64" },
      backend: { type: "string", default: "wasm" },
      folder: { type: "string", default: "runs/soak" },
      plant: { type: "string", default: "" },
    },
  });
  const { preset, folder, plant } = values;
  const [steps, every] = [Number(values.steps), Number(values.every)];
  const small = preset === "test-16"
    ? { training: { steps, shots: 1, batch: 1 } }
    : { training: { steps } };
  const config = decodeRunConfig({
    ...{ preset, backend: values.backend, run: `${folder}/run`, keep: 2, ...small },
    watchEvery: every,
    tickEvery: Math.min(10, every),
    judge: { people: 2, shots: preset === "test-16" ? 1 : 8, targets: 1 },
  });
  if (E.isLeft(config)) {
    say(renderError(config.left));
    return 2;
  }
  const backend = await selectBackend(config.right.backend)();
  if (E.isLeft(backend)) {
    say(renderError(backend.left));
    return 2;
  }
  await Deno.mkdir(folder, { recursive: true });
  const looks: Look[] = [], events: TrainEvent[] = [];
  using log = await Deno.open(`${folder}/soak.jsonl`, { create: true, append: true });
  const note = (line: string): void => void log.writeSync(new TextEncoder().encode(`${line}\n`));
  const emit = (event: TrainEvent): void => {
    if (event._tag === "StepDone" || event._tag === "Progress") return;
    events.push(event);
    note(eventLine(event, new Date()));
    if (event._tag !== "Evaluated") return;
    collectGarbage();
    const { spread = NaN, saturated = NaN, l1 = NaN } = event.figures;
    const resident = Deno.memoryUsage().rss / 2 ** 20, tensors = backend.right.tensors();
    const look = { step: event.step, tensors, resident, spread, saturated, l1 };
    looks.push(look);
    note(JSON.stringify({ _tag: "Look", ...look }));
    say(shown(look));
  };
  const method = plant === "" ? {} : { method: leakingMethod({ tensors: 1, bytes: 4 << 20 }) };
  const from = performance.now();
  const ended = await metaTrain(config.right, method)(makeEnv({ backend: backend.right, emit }))();
  await backend.right.close();
  const problems = [
    ...(E.isLeft(ended) ? [`it ended early: ${renderError(ended.left)}`] : []),
    ...problemsOf(looks, events),
  ];
  const took = ((performance.now() - from) / 1000).toFixed(0);
  const growth = growthOf(
    looks.slice(Math.floor(looks.length * warmUp)).map(({ step, resident }) => [step, resident]),
  );
  say(
    `${steps} steps of ${preset} in ${took} s: memory grew by ${
      growth.toFixed(1)
    } MiB after warm-up`,
  );
  problems.slice(0, 20).forEach((problem) => say(`Not healthy: ${problem}`));
  if (problems.length === 0) say("Healthy: tensors and memory flat, no collapse, no guard event");
  return problems.length > 0 ? 1 : 0;
};

if (import.meta.main) Deno.exit(await main());
