/** Runs the readers on damaged files in processes of their own, with an end to every wait. */
import { fileURLToPath } from "node:url";
import type { Errand, TargetReport } from "./child.ts";

/** What to run. */
export interface FuzzRequest {
  /** Targets that share a process; one that hangs takes the later ones of its process with it. */
  readonly names: readonly string[];
  readonly cases: number;
  readonly seed: number;
  readonly first?: number;
  /** Seconds without a new case after which a reader counts as hanging. */
  readonly patience?: number;
}

const child = fileURLToPath(new URL("./child.ts", import.meta.url));
const config = fileURLToPath(new URL("../../deno.json", import.meta.url));

const lost = (name: string, cases: number, what: string): TargetReport => ({
  ...{ name, cases, read: 0, ways: 0, slowest: { ms: 0, number: 0 }, mib: null },
  failures: [{ number: -1, done: [], what }],
});

/** The reports of all targets; one that hung or died has its last case in its failure. */
export const fuzz = async (
  { names, cases, seed, first = 0, patience = 30 }: FuzzRequest,
): Promise<readonly TargetReport[]> => {
  const folder = await Deno.makeTempDir({ prefix: "headshot-fuzz-" });
  try {
    const errand: Errand = { names, seed, first, cases, folder };
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", config, child, JSON.stringify(errand)],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const at = (): Promise<string> => Deno.readTextFile(`${folder}/at`).catch(() => "its start");
    let last = "", since = performance.now(), hung = false;
    const watch = setInterval(async () => {
      const now = await at();
      if (now !== last) [last, since] = [now, performance.now()];
      if (hung || performance.now() - since < 1000 * patience) return;
      hung = true;
      process.kill("SIGKILL");
    }, 500);
    const { stdout, stderr, code } = await process.output();
    clearInterval(watch);
    const lines = new TextDecoder().decode(stdout).split("\n");
    const reports = lines.flatMap((line): readonly TargetReport[] =>
      line.startsWith('{"name"') ? [JSON.parse(line)] : []
    );
    const where = (await at()).trim();
    const said = new TextDecoder().decode(stderr).trim().slice(-600);
    const how = hung ? `hung for ${patience} s` : `ended with ${code}, saying "${said}"`;
    return names.map((name) =>
      reports.find((report) => report.name === name) ??
        lost(name, cases, `the process ${how}, at ${where}`)
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
};
