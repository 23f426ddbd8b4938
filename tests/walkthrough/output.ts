/** What a command wrote as the log keeps it, and whether it is what another run wrote. */

/** A log has at most so many lines of a command, so many characters of a line. */
const LINES = 44, FIRST = 24, LAST = 12, WIDTH = 240;
/** `deno task` says what it runs, permissions first: the command is in the line above it. */
const TASK_WIDTH = 72;

/** What tells of downloads and of packages, not of the project. */
const isNoise = (line: string): boolean =>
  /^(Download |Initialize |npm (warn|notice)|[╭│╰])/.test(line);

const narrow = (line: string): string => {
  const width = line.startsWith("Task ") ? TASK_WIDTH : WIDTH;
  return line.length > width ? `${line.slice(0, width - 1).trimEnd()}…` : line;
};

/** The lines of a text without colours and this machine's paths, shortened with "…". */
export const linesOf = (
  text: string,
  places: readonly (readonly [path: string, name: string])[],
): readonly string[] => {
  const named = places.reduce((all, [path, name]) => all.replaceAll(path, name), text)
    // deno-lint-ignore no-control-regex
    .replace(/\x1b\[[\d;]*[A-Za-z]/g, "")
    .replace(/(\/npm\/)[\w.-]+(\/@)/g, "$1…$2"); // whichever registry it was
  const lines = named.split("\n").map((line) => line.split("\r").at(-1)?.trimEnd() ?? "")
    .map((line) => isNoise(line) ? "…" : narrow(line))
    .filter((line, i, all) => line !== "…" || all[i - 1] !== "…");
  while (lines.at(-1) === "") lines.pop();
  return lines.length > LINES ? [...lines.slice(0, FIRST), "…", ...lines.slice(-LAST)] : lines;
};

/** How far a line has come is told every few seconds: more often on a slow machine. */
const isProgress = (line: string): boolean =>
  line === "…" || /^Step \d+ of /.test(line) || /: \d+ of \d+$/.test(line);

/** A line without times, sizes and what a machine is. */
const settled = (line: string): string =>
  line
    .replace(/ on (wasm|webgpu|native)\b.*?, (?=steps|for|into)/, " on …, ")
    .replace(/\b([0-9a-f]{12,}|\d{9,})\b/g, "#")
    .replace(/\b\d+(:\d\d)+\b/g, "#:##")
    .replace(/\b\d[\d.,]* ?(ms|s|seconds?|minutes?|MiB|GiB|MB|GB|kB|%)(?!\w)/g, "# $1")
    .replace(/\b[\d.]+ frames a second/g, "# frames a second")
    .replace(/ {2,}/g, "  ");

/** Figures with a point may differ a little: threads and processors add up in another order. */
const isClose = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 0.01 + 0.05 * Math.max(Math.abs(a), Math.abs(b));

const alike = (a: string, b: string): boolean => {
  const parts = (line: string) => settled(line).split(/(-?\d+\.\d+)/);
  const left = parts(a), right = parts(b);
  return left.length === right.length &&
    left.every((part, i) =>
      i % 2 === 0 ? part.trim() === right[i]?.trim() : isClose(Number(part), Number(right[i]))
    );
};

const firstWord = (line: string): string => /^\W*[\w-]+/.exec(line)?.[0] ?? "";

/**
 * The first line in which two outputs differ by more than times, sizes and small differences of
 * figures; where a `machine` speaks of itself, by more than the line's first word.
 */
export const differenceOf = (
  recorded: readonly string[],
  seen: readonly string[],
  machine = false,
): string | undefined => {
  const before = recorded.filter((line) => !isProgress(line));
  const now = seen.filter((line) => !isProgress(line));
  const same = machine ? (a: string, b: string) => firstWord(a) === firstWord(b) : alike;
  const length = Math.max(before.length, now.length);
  for (let i = 0; i < length; i++) {
    const a = before[i], b = now[i];
    if (a === undefined || b === undefined || !same(a, b)) {
      return `the log has "${a ?? "nothing more"}", now it is "${b ?? "nothing more"}"`;
    }
  }
  return undefined;
};
