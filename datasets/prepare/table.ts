/**
 * Tables in CSV files, as spreadsheets write them.
 *
 * @module
 */
import { E } from "../../pipeline/core/fp.ts";

/** A row of a table by the names of its columns. */
export interface TableRow {
  /** Where it begins in the file, from 1. */
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|\r|$)/y;

/**
 * Parses a CSV text (RFC 4180: commas, quotes doubled inside of quotes, any line ends, a first row
 * of names). The left is the end of a sentence: a missing column, a stray quote.
 *
 * @example
 * ```ts
 * import { parseTable } from "./table.ts";
 * const table = parseTable('file,identity\n"a, b.mp4",ada\n', ["file", "identity"]);
 * if (table._tag === "Left" || table.right[0]?.cells.file !== "a, b.mp4") throw new Error("no");
 * ```
 */
export const parseTable = (
  text: string,
  needed: readonly string[],
): E.Either<string, readonly TableRow[]> => {
  const rows: { readonly line: number; readonly fields: string[] }[] = [];
  let line = 1, fields: string[] = [], start = 1;
  const bare = text.replace(/^\uFEFF/, "");
  for (FIELD.lastIndex = 0; FIELD.lastIndex < bare.length || fields.length > 0;) {
    const match = FIELD.exec(bare);
    if (match === null) return E.left(`line ${line} has a quote that does not end, expected CSV`);
    const [, field = "", end = ""] = match;
    fields.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    line += field.split("\n").length - 1;
    if (end === ",") continue;
    if (fields.length > 1 || fields[0] !== "") rows.push({ line: start, fields });
    fields = [];
    start = ++line;
  }
  const [header, ...body] = rows;
  const names = header?.fields.map((name) => name.trim().toLowerCase()) ?? [];
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    return E.left(`it has no column ${missing.join(" and ")}, expected a first row of names`);
  }
  return E.right(
    body.map(({ line, fields }) => ({
      line,
      cells: Object.fromEntries(names.map((name, i) => [name, fields[i] ?? ""])),
    })),
  );
};
