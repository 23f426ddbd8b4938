/**
 * `deno task faults [--kills N] [--folder DIR] [--only N,N,…]`: injects every fault of README.md and prints what
 * was tried and what was lost. A test counts once, however often it injects its fault; what was
 * skipped, for want of ffmpeg or an adapter, is told and does not count as tried. In a folder that is
 * named the kills go on where they were stopped.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { killRuns } from "./kills.ts";
import { type Fault, filterOf, readFaults } from "./table.ts";

type Outcome = "passed" | "failed" | "skipped";

interface Row {
  readonly fault: string;
  readonly injected: string;
  readonly tried: number;
  readonly lost: number;
  readonly skipped: number;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

const say = (line: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
};

const unescaped = (text: string): string =>
  text.replace(
    /&(quot|apos|lt|gt|amp|#\d+);/g,
    (_, name: string) =>
      name.startsWith("#")
        ? String.fromCodePoint(Number(name.slice(1)))
        : { quot: '"', apos: "'", lt: "<", gt: ">" }[name] ?? "&",
  );

/** The outcomes of a report by the names of tests; where two files have one, the worse. */
const outcomesOf = (report: string): ReadonlyMap<string, Outcome> => {
  const outcomes = new Map<string, Outcome>();
  for (
    const [, attributes = "", body = ""] of report.matchAll(
      /<testcase ([^>]*?)(?:\/>|>([^]*?)<\/testcase>)/g,
    )
  ) {
    const shown = unescaped(/(?:^| )name="([^"]*)"/.exec(attributes)?.[1] ?? "");
    const name = shown.replace(/ \((?:skipped|needs) .*\)$/, "");
    if (/<(?:failure|error)/.test(body)) outcomes.set(name, "failed");
    else if (outcomes.get(name) !== "failed") {
      outcomes.set(name, body.includes("<skipped") ? "skipped" : "passed");
    }
  }
  return outcomes;
};

const runTests = async (faults: readonly Fault[]): Promise<ReadonlyMap<string, Outcome>> => {
  const files = [...new Set(faults.flatMap(({ shown }) => shown.map(({ file }) => file)))];
  const path = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    await new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "-A", "--no-check", "--junit-path", path],
        "--filter",
        filterOf(faults),
        ...files,
      ],
      cwd: root,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).output();
    return outcomesOf(await Deno.readTextFile(path));
  } finally {
    await Deno.remove(path);
  }
};

const rowOf =
  (outcomes: ReadonlyMap<string, Outcome>) => ({ fault, injected, shown }: Fault): Row => {
    // A test that did not run at all is not known to be survived.
    const all = shown.flatMap(({ names }) => names.map((name) => outcomes.get(name) ?? "failed"));
    const count = (outcome: Outcome): number => all.filter((each) => each === outcome).length;
    const lost = count("failed"), skipped = count("skipped");
    return { fault, injected, tried: all.length - skipped, lost, skipped };
  };

const short = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

const print = (rows: readonly Row[]): void => {
  const line = (fault: string, injected: string, tried: unknown, lost: unknown): string =>
    `${short(fault, 48).padEnd(49)}${short(injected, 52).padEnd(53)}` +
    `${String(tried).padStart(5)}${String(lost).padStart(6)}`;
  say(`\n${line("fault", "how injected", "tried", "lost")}`);
  for (const { fault, injected, tried, lost, skipped } of rows) {
    say(line(fault, injected, tried, lost) + (skipped > 0 ? `  (${skipped} skipped here)` : ""));
  }
  const sum = (of: (row: Row) => number): number => rows.reduce((all, row) => all + of(row), 0);
  say(line("all", "", sum(({ tried }) => tried), sum(({ lost }) => lost)));
};

const killRow = async (kills: number, kept: string): Promise<Row> => {
  const folder = kept === "" ? await Deno.makeTempDir({ prefix: "headshot-kills-" }) : kept;
  await Deno.mkdir(folder, { recursive: true });
  try {
    const report = await killRuns({ kills, folder, tell: say });
    report.lost.forEach(say);
    const injected = `SIGKILL, ${report.saving} of them in the middle of a save`;
    const fault = "kill -9 at random moments of training";
    return { fault, injected, tried: report.kills, lost: report.lost.length, skipped: 0 };
  } finally {
    if (kept === "") await Deno.remove(folder, { recursive: true });
  }
};

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "5" },
    folder: { type: "string", default: "" },
    only: { type: "string", default: "" },
  },
});
const kills = Number(values.kills), only = values.only.split(",").filter((each) => each !== "");
if (!Number.isInteger(kills) || kills < 0) {
  say(`Cannot kill ${values.kills} times: expected --kills N, a whole number`);
  Deno.exit(2);
}
const faults = (await readFaults()).filter(({ number }) =>
  only.length === 0 || only.includes(number)
);
const rows = faults.length > 0 ? faults.map(rowOf(await runTests(faults))) : [];
const all = kills > 0 ? [...rows, await killRow(kills, values.folder)] : rows;
print(all);
Deno.exit(all.some(({ lost }) => lost > 0) ? 1 : 0);
