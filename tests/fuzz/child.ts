/**
 * Reads damaged files in a process of its own, so that a reader that hangs or eats the memory can
 * be ended from outside. Arguments: a JSON object, see {@link Errand}; a line of JSON a target on
 * stdout, see {@link TargetReport}; the case at hand in the file `at`.
 */
import { cpuUsage } from "node:process";
import { makeRng } from "../../pipeline/core/rng.ts";
import { type Bytes, damage } from "./damage.ts";
import { problemOf } from "./sentences.ts";
import { type Target, targets } from "./targets.ts";

/** What the child is to do. */
export interface Errand {
  readonly names: readonly string[];
  readonly seed: number;
  readonly first: number;
  readonly cases: number;
  /** A folder to work in. */
  readonly folder: string;
}

/** A case that broke a reader. */
export interface Failure {
  readonly number: number;
  readonly done: readonly string[];
  readonly what: string;
}

/** What became of the cases of a target. */
export interface TargetReport {
  readonly name: string;
  readonly cases: number;
  /** Cases that were read all the same. */
  readonly read: number;
  /** Different sentences of refusal, numbers and names aside. */
  readonly ways: number;
  /** The longest case in milliseconds of processor, and which. */
  readonly slowest: { readonly ms: number; readonly number: number };
  /** Resident memory that was added at most, in MiB; unknown but on Linux. */
  readonly mib: number | null;
  readonly failures: readonly Failure[];
}

/** Only so many failures are told. */
const told = 20;

/** Resident memory in MiB: now, or the most since it was last forgotten. Linux only. */
const memory = async (line: "VmRSS" | "VmHWM"): Promise<number | null> => {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const kib = new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
};
const forgetMost = (): Promise<void> =>
  Deno.writeTextFile("/proc/self/clear_refs", "5").catch(() => {});

/** Milliseconds of processor that this process has taken: other processes do not count. */
const spent = (): number => {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
};

const escaped: string[] = [];
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  escaped.push(`a rejection that nobody handles: ${String(event.reason)}`);
});

/** A sentence without what is different in each case. */
const wordsOf = (problem: string): string =>
  problem.replace(/^(Cannot|Skipped) [^:]*: /, "").replace(/"[^"]*"|[\w./]*[\d\ufffd][\w./]*/g, "#")
    .slice(0, 60);

const mended = (target: Target, bytes: Bytes): Bytes => {
  try {
    return target.mend?.(bytes) ?? bytes;
  } catch {
    return bytes; // too broken to have sums
  }
};

/** The bytes of a case: the same for the same seed, target and number. */
export const caseOf = (target: Target, seeds: readonly Bytes[], seed: number, number: number) => {
  const draw = makeRng(seed).fold(target.name).fold(number).draw();
  const { bytes, done } = damage(draw.pick(seeds), draw, seeds);
  return draw.integer(2) === 0 && target.mend
    ? { bytes: mended(target, bytes), done: [...done, "mend"] }
    : { bytes, done };
};

const runTarget = async (
  target: Target,
  { seed, first, cases, folder }: Errand,
  at: Deno.FsFile,
): Promise<TargetReport> => {
  const seeds = await target.seeds(), failures: Failure[] = [], ways = new Set<string>();
  for (const [i, whole] of seeds.entries()) {
    await target.read(whole, folder).catch((cause) => {
      failures.push({ number: -1, done: [], what: `seed ${i}: ${String(cause)}` });
    });
  }
  await forgetMost();
  const before = await memory("VmRSS");
  let read = 0, slowest = { ms: 0, number: 0 };
  for (let number = first; number < first + cases; number++) {
    const { bytes, done } = caseOf(target, seeds, seed, number);
    at.seekSync(0, Deno.SeekMode.Start);
    at.writeSync(new TextEncoder().encode(`${target.name} ${number}\n`.padEnd(64)));
    const from = spent();
    let what: string | undefined;
    try {
      const sentences = await target.read(bytes, folder);
      if (sentences.length === 0) read++;
      sentences.forEach((sentence) => ways.add(wordsOf(sentence)));
      what = problemOf(sentences);
    } catch (cause) {
      what = cause instanceof Error ? cause.stack ?? cause.message : String(cause);
    }
    const ms = spent() - from;
    if (ms > slowest.ms) slowest = { ms, number };
    if (ms > target.ms) {
      what ??= `it took ${Math.round(ms)} ms of processor, expected at most ${target.ms}`;
    }
    what ??= escaped.pop();
    escaped.length = 0;
    if (what !== undefined && failures.length < told) failures.push({ number, done, what });
  }
  const most = await memory("VmHWM");
  const mib = before === null || most === null ? null : most - before;
  if (mib !== null && mib > target.mib) {
    const what = `it took ${Math.round(mib)} MiB, expected at most ${target.mib}`;
    failures.push({ number: -1, done: [], what });
  }
  return { name: target.name, cases, read, ways: ways.size, slowest, mib, failures };
};

if (import.meta.main) {
  const errand: Errand = JSON.parse(Deno.args[0] ?? "{}");
  using at = await Deno.open(`${errand.folder}/at`, { create: true, write: true });
  for (const target of targets.filter(({ name }) => errand.names.includes(name))) {
    const folder = await Deno.makeTempDir({ dir: errand.folder });
    const report = await runTarget(target, { ...errand, folder }, at);
    Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report)}\n`));
    await Deno.remove(folder, { recursive: true });
  }
}
