/**
 * Kills training runs with SIGKILL at random moments, and holds what is left against a run that was
 * never interrupted: byte for byte, after every kill and at the end.
 */
import { E } from "../../pipeline/core/fp.ts";
import { makeRng } from "../../pipeline/core/rng.ts";
import { loadCheckpoint } from "../../pipeline/programs/checkpoint/load.ts";
import { stepName } from "../../pipeline/programs/checkpoint/run_folder.ts";
import { namesIn, runCli, startCli } from "../e2e/support.ts";

/** What came of the kills. */
export interface KillReport {
  readonly kills: number;
  /** Kills that left a half-written checkpoint, or a half-removed one, behind. */
  readonly saving: number;
  /** Runs that came to their end in spite of them, the last one among these. */
  readonly ended: number;
  /** One sentence for each kill or end after which something was lost. */
  readonly lost: readonly string[];
}

/** What one life of a run came to; a line each in the log, by which a night goes on the next day. */
interface Life {
  readonly killed: boolean;
  /** Whether a half-written or half-removed checkpoint was left. */
  readonly saving: boolean;
  readonly ended: boolean;
  readonly lost: readonly string[];
}

const readLives = async (path: string): Promise<readonly Life[]> =>
  (await Deno.readTextFile(path).catch(() => "")).split("\n").filter((line) => line.endsWith("}"))
    .map((line): Life => JSON.parse(line));

/** When to kill: at any time, during a save, or just after one, when old ones are removed. */
const moments = ["any", "saving", "saved"] as const;

const sleep = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

const savedIn = async (run: string): Promise<readonly string[]> =>
  await namesIn(`${run}/checkpoints`).catch(() => []);

/** The newest step that the run has said to be saved. */
const lastSaid = async (run: string): Promise<number> => {
  const text = await Deno.readTextFile(`${run}/events.jsonl`).catch(() => "");
  const said = [...text.matchAll(/"_tag":"CheckpointSaved","step":(\d+)/g)];
  return Math.max(0, ...said.map(([, step]) => Number(step)));
};

const same = async (one: string, other: string): Promise<boolean> => {
  const [a, b] = await Promise.all([one, other].map((path) => Deno.readFile(path)));
  return a !== undefined && b !== undefined && a.length === b.length &&
    a.every((byte, i) => byte === b[i]);
};

/** What the run has lost against the reference, in words; `undefined` where nothing. */
const lossOf = async (run: string, reference: string): Promise<string | undefined> => {
  const env = { emit: () => {} };
  const loaded = await loadCheckpoint(["weights", "state"])(run)(env)();
  if (E.isLeft(loaded)) return loaded.left.message;
  const { meta: { step }, path } = loaded.right, said = await lastSaid(run);
  if (step < said) return `step ${said} was said to be saved, the newest whole one is ${step}`;
  for (const part of ["weights", "state"]) {
    const name = `${part}.safetensors`;
    if (!await same(`${path}/${name}`, `${reference}/checkpoints/${stepName(step)}/${name}`)) {
      return `${name} of step ${step} differ from those of an uninterrupted run`;
    }
  }
};

/** Waits until the moment has come, or the process has ended. */
const waitFor = async (
  moment: typeof moments[number],
  { run, within, share, isOver }: {
    readonly run: string;
    readonly within: number;
    readonly share: number;
    readonly isOver: () => boolean;
  },
): Promise<void> => {
  const before = await savedIn(run);
  const whole = (names: readonly string[]) => names.filter((name) => name.startsWith("step-"));
  const first = whole(before).length === 0; // one that has saved nothing has nothing to lose
  while (first && !isOver() && whole(await savedIn(run)).length === 0) await sleep(2);
  if (moment === "any") {
    // A new run has already come as far as its first checkpoint.
    const until = performance.now() + share * within * (first ? 0.2 : 0.6);
    while (!isOver() && performance.now() < until) await sleep(2);
    return;
  }
  const known = new Set(await savedIn(run));
  const isIt = (name: string): boolean =>
    !known.has(name) && name.startsWith(moment === "saving" ? ".tmp-" : "step-");
  while (!isOver() && !(await savedIn(run)).some(isIt)) await sleep(1);
  await sleep(4 * share);
};

/** Trains once without interruption, unless it is done; the milliseconds that this took. */
const trainWhole = async (folder: string, steps: number): Promise<number> => {
  const timing = `${folder}/whole.json`;
  const known = await Deno.readTextFile(timing).catch(() => undefined);
  if (known !== undefined) return JSON.parse(known);
  await Deno.remove(`${folder}/whole`, { recursive: true }).catch(() => {});
  const start = Date.now();
  const args = ["meta-train", "--config", "reference.json", "--run", "whole"];
  const whole = await runCli(args, folder);
  if (whole.code !== 0) throw new Error(`Cannot train without kills: ${whole.stderr}`);
  const { mtime } = await Deno.stat(`${folder}/whole/checkpoints/${stepName(steps)}/meta.json`);
  await Deno.writeTextFile(timing, JSON.stringify(Number(mtime) - start));
  return Number(mtime) - start;
};

/**
 * Kills until it was done `kills` times; every moment is drawn from the seed. The folder keeps what
 * came of each life: called again with it, the kills that were done count.
 */
export const killRuns = async (
  { kills, folder, seed = 1, steps = 30, tell = () => {} }: {
    readonly kills: number;
    readonly folder: string;
    readonly seed?: number;
    readonly steps?: number;
    readonly tell?: (line: string) => void;
  },
): Promise<KillReport> => {
  const quiet = {
    ...{ preset: "test-16", backend: "wasm", checkpointEvery: 1, gridEvery: 1000 },
    ...{ watchEvery: 1000, judge: { people: 2, shots: 1, targets: 1 } },
    training: { batch: 1, shots: 1, steps },
  };
  const write = (name: string, keep: number) =>
    Deno.writeTextFile(`${folder}/${name}`, JSON.stringify({ ...quiet, keep }));
  await write("run.json", 2);
  await write("reference.json", steps);
  const within = await trainWhole(folder, steps), reference = `${folder}/whole`;
  const log = `${folder}/lives.jsonl`, lives: Life[] = [...await readLives(log)];
  const note = async (life: Life): Promise<void> => {
    lives.push(life);
    await Deno.writeTextFile(log, `${JSON.stringify(life)}\n`, { append: true });
  };
  const count = (is: (life: Life) => boolean): number => lives.filter(is).length;
  const done = (): number => count(({ killed }) => killed);

  const rng = makeRng(seed), prefix = `run-${lives.length}`; // another name than any before
  let runs = 0, resume = false;
  while (done() < kills || resume) {
    const number = lives.length, name = `${prefix}-${runs}`, run = `${folder}/${name}`;
    const again = resume ? ["--resume"] : [];
    const child = startCli(["meta-train", "--config", "run.json", "--run", name, ...again], folder);
    let over = false;
    const ending = child.output().then((output) => {
      over = true;
      return output;
    });
    if (done() < kills) {
      const moment = moments[number % moments.length] ?? "any";
      const share = rng.fold("life").fold(number).draw().uniform();
      await waitFor(moment, { run, within, share, isOver: () => over });
    } else await ending;
    if (!over) child.kill("SIGKILL");
    const { code, stderr, signal } = await ending;
    const killed = signal !== null, lost: string[] = [];
    if (!killed && code !== 0) {
      lost.push(`it ended with ${code}: ${new TextDecoder().decode(stderr).slice(-400)}`);
    }
    const loss = await lossOf(run, reference);
    if (loss !== undefined) lost.push(loss);
    const last = await Deno.stat(`${run}/checkpoints/${stepName(steps)}`).catch(() => undefined);
    if (!killed && !last) lost.push("it ended without its last checkpoint");
    const saving = killed && (await savedIn(run)).some((each) => each.startsWith(".tmp-"));
    await note({ killed, saving, ended: !killed && code === 0, lost });
    const losses = count((life) => life.lost.length > 0);
    tell(`${killed ? "killed" : "ended"}, ${done()} of ${kills} kills, ${losses} lost`);
    resume = killed && lost.length === 0;
    if (resume) continue;
    await Deno.remove(run, { recursive: true });
    runs++;
  }
  return {
    kills: done(),
    saving: count(({ saving }) => saving),
    ended: count(({ ended }) => ended),
    lost: lives.flatMap(({ lost }, i) => lost.map((what) => `life ${i}: ${what}`)),
  };
};
