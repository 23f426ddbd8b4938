/**
 * `deno task fuzz [--cases N] [--seed N] [--only NAME,NAME] [--first N]`: damages files of every
 * kind that is read back, reads them, and prints what came of it. A case is told by its target,
 * seed and number: `--only PNG --first 4711 --cases 1` is that case again.
 */
import { parseArgs } from "node:util";
import type { TargetReport } from "./child.ts";
import { fuzz } from "./fuzz.ts";
import { targets } from "./targets.ts";

const say = (line: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
};

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    only: { type: "string", default: "" },
  },
});
const [cases, seed, first] = [values.cases, values.seed, values.first].map(Number);
const only = values.only.split(",").filter((name) => name !== "");
const unknown = only.find((name) => !targets.some((target) => target.name === name));
if (![cases, seed, first].every((n) => Number.isSafeInteger(n) && (n ?? -1) >= 0)) {
  say("Cannot fuzz: expected whole numbers for --cases, --seed and --first");
  Deno.exit(2);
}
if (unknown !== undefined) {
  say(`Cannot fuzz ${unknown}: expected some of ${targets.map(({ name }) => name).join(", ")}`);
  Deno.exit(2);
}

const line = (...cells: readonly unknown[]): string =>
  cells.map((cell, i) => i === 0 ? String(cell).padEnd(15) : String(cell).padStart(9)).join("");
say(line("reader", "cases", "read", "ways", "ms most", "(bound)", "MiB more", "(bound)", "broken"));
const reports: TargetReport[] = [];
for (const { name, ms, mib } of targets) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (
    const report of await fuzz({
      names: [name],
      cases: cases ?? 0,
      seed: seed ?? 1,
      first: first ?? 0,
    })
  ) {
    reports.push(report);
    const { read, ways, slowest, failures } = report;
    const added = report.mib === null ? "?" : report.mib.toFixed(0);
    say(line(name, cases, read, ways, slowest.ms.toFixed(0), ms, added, mib, failures.length));
    for (const { number, done, what } of failures) {
      say(`  case ${number} (${done.join(", ")}): ${what}`);
    }
  }
}
const broken = reports.reduce((sum, { failures }) => sum + failures.length, 0);
say(
  line(
    "all",
    reports.reduce((sum, report) => sum + report.cases, 0),
    "",
    "",
    "",
    "",
    "",
    "",
    broken,
  ),
);
Deno.exit(broken > 0 ? 1 : 0);
