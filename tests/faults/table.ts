/** The table of faults in README.md, read as data: what `deno task faults` runs and reports. */

/** The tests of one file that show that a fault is survived. */
export interface Shown {
  /** The file, from the root of the repository. */
  readonly file: string;
  /** Names of its tests, as the runner prints them. */
  readonly names: readonly string[];
}

/** One row of the table. */
export interface Fault {
  readonly number: string;
  readonly fault: string;
  readonly injected: string;
  readonly shown: readonly Shown[];
}

const shownOf = (cell: string): readonly Shown[] =>
  [...cell.matchAll(/`([^`]+_test\.ts)`: ((?:“[^”]+”(?:, )?)+)/g)].map((
    [, file = "", names = ""],
  ) => ({
    file,
    names: [...names.matchAll(/“([^”]+)”/g)].map(([, name = ""]) => name),
  }));

/** The rows of the table, in its order. */
export const readFaults = async (): Promise<readonly Fault[]> => {
  const text = await Deno.readTextFile(new URL("README.md", import.meta.url));
  return text.split("\n").filter((line) => /^\|\s*\d+\s*\|/.test(line)).map((line) => {
    const [number = "", fault = "", , injected = "", shown = ""] = line.split("|").slice(1, -1)
      .map((cell) => cell.trim());
    return { number, fault, injected, shown: shownOf(shown) };
  });
};

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/**
 * Whether the source of a test file has a test of that name: as a literal, or as a template whose
 * variable parts are literals elsewhere in the file.
 */
export const hasTest = (source: string, name: string): boolean => {
  if (source.includes(`"${name.replaceAll('"', '\\"')}"`)) return true;
  const templates = [...source.matchAll(/`((?:[^`\\]|\\.)*\$\{[^`]*)`/g)]
    .map(([, template = ""]) => template.replace(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, "\0"));
  return templates.some((template) => {
    const fixed = template.split("\0");
    if (fixed.join("").length === 0) return false;
    const found = new RegExp(`^${fixed.map(literal).join("([^]*)")}$`).exec(name);
    return found !== null && found.slice(1).every((part) => source.includes(part));
  });
};

/** The filter that makes `deno test` run these tests and no others. */
export const filterOf = (faults: readonly Fault[]): string => {
  const names = faults.flatMap(({ shown }) => shown.flatMap((each) => each.names));
  return `/^(?:${[...new Set(names)].map(literal).join("|")})(?: \\(skipped.*| \\(needs .*)?$/`;
};
