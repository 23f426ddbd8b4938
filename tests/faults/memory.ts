/**
 * The resident memory that each command takes at most, measured: `deno run -A
 * tests/faults/memory.ts [--preset NAME] [--only NAME,NAME]` runs every command on small input and
 * prints its peak beside its bound. Exit code 1 where a bound does not hold. Linux only.
 */
import { parseArgs } from "node:util";
import { startCli } from "../e2e/support.ts";

/** A command on small input, in a folder in which the ones before it have run. */
export interface Measured {
  readonly name: string;
  readonly args: readonly string[];
  /** The bound in MiB, at toy-64 on wasm; see README.md for how it grows. */
  readonly bound: number;
}

const run = ["--run", "run"], wasm = ["--backend", "wasm"];

/** Every command that holds more than its arguments. */
export const commands: readonly Measured[] = [
  {
    name: "meta-train",
    args: ["meta-train", "--config", "small.json", "--steps", "4", ...run],
    bound: 1100,
  },
  {
    name: "embed",
    args: ["embed", ...run, "--images", "synthetic:7", "--out", "ada.safetensors", ...wasm],
    bound: 450,
  },
  {
    name: "fine-tune",
    args: [
      ...["fine-tune", ...run, "--images", "synthetic:7", "--out", "fine.safetensors"],
      ...["--epochs", "2", ...wasm],
    ],
    bound: 900,
  },
  {
    name: "drive",
    args: [
      ...["drive", "--person", "ada.safetensors", "--driver", "synthetic:9", "--out", "ada.gif"],
      ...["--frames", "30", ...wasm],
    ],
    bound: 600,
  },
  {
    name: "evaluate",
    args: [
      ...["evaluate", ...run, "--shots", "1,4", "--videos", "2", "--frames", "4"],
      ...["--out", "evaluation", ...wasm],
    ],
    bound: 1400,
  },
];

/** Settings of a run of few people to judge. */
export const smallRun = (preset: string): string =>
  JSON.stringify({
    ...{ preset, backend: "wasm", watchEvery: 1000, gridEvery: 1000, checkpointEvery: 1000 },
    judge: { people: 2, shots: 1, targets: 1 },
  });

/** The most that a process has held, in MiB; undefined where it is gone. */
const peakOf = async (pid: number): Promise<number | undefined> => {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const kib = /VmHWM:\s+(\d+)/.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
};

/** Runs a command to its end; its exit code, its words, and its peak in MiB. */
export const measure = async (args: readonly string[], folder: string) => {
  const child = startCli(args, folder), ending = child.output();
  let over = false, peak = 0;
  const watching = (async () => {
    while (!over) {
      peak = Math.max(peak, await peakOf(child.pid) ?? 0);
      await new Promise((resume) => setTimeout(resume, 20));
    }
  })();
  const { code, stderr } = await ending;
  over = true;
  await watching;
  return { code, said: new TextDecoder().decode(stderr).slice(-300), peak };
};

const say = (line: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: { preset: { type: "string", default: "toy-64" }, only: { type: "string" } },
  });
  const only = values.only?.split(","), folder = await Deno.makeTempDir({ prefix: "headshot-" });
  let broken = 0;
  try {
    await Deno.writeTextFile(`${folder}/small.json`, smallRun(values.preset));
    say(`${"command".padEnd(14)}${"peak MiB".padStart(10)}${"bound".padStart(8)}`);
    for (const { name, args, bound } of commands) {
      if (only !== undefined && name !== "meta-train" && !only.includes(name)) continue;
      const { code, said, peak } = await measure(args, folder);
      if (code !== 0 || (values.preset === "toy-64" && peak > bound)) broken++;
      const failed = code === 0 ? "" : `  ended with ${code}: ${said}`;
      say(`${name.padEnd(14)}${peak.toFixed(0).padStart(10)}${String(bound).padStart(8)}${failed}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(broken > 0 ? 1 : 0);
}
