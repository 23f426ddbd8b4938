/**
 * Layers of configuration: defaults, then a file of JSON with comments, then the command line.
 *
 * @module
 */
import {
  createScanner,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "npm:jsonc-parser@3.3.1";
import { E, TE } from "./fp.ts";
import type { Err } from "./errors.ts";
import { readBounded } from "./files.ts";

/** A configuration file may have this many bytes. */
export const MAX_CONFIG_BYTES = 1_000_000;
const MAX_DEPTH = 32;
// SyntaxKind of jsonc-parser: a const enum, whose names do not exist at run time.
const OPEN_BRACE = 1, CLOSE_BRACE = 2, OPEN_BRACKET = 3, CLOSE_BRACKET = 4, END = 17;

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Merges layers, later ones over earlier ones: records key by key, everything else (lists too) as
 * a whole; `undefined` leaves what is there.
 */
export const mergeConfig = (...layers: readonly unknown[]): unknown =>
  layers.reduce((under, over) => {
    if (over === undefined) return under;
    if (!isPlain(under) || !isPlain(over)) return over;
    const merged = new Map(Object.entries(under));
    for (const [key, value] of Object.entries(over)) {
      if (value !== undefined) merged.set(key, mergeConfig(merged.get(key), value));
    }
    return Object.fromEntries(merged);
  }, undefined);

const place = (text: string, offset: number): string => {
  const lines = text.slice(0, offset).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
};

// The parser recurses: a million brackets must not reach it. The scanner does not.
const tooDeep = (text: string): boolean => {
  const scanner = createScanner(text, true);
  for (let depth = 0;;) {
    switch (scanner.scan()) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > MAX_DEPTH) return true;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
        break;
      case END:
        return false;
    }
  }
};

/** Values as JSON.parse makes them, except that a key given twice is a problem. */
const valueOf = (node: Node, twice: (key: string, offset: number) => void): unknown => {
  if (node.type === "array") return (node.children ?? []).map((child) => valueOf(child, twice));
  if (node.type !== "object") return node.value;
  const entries = new Map<string, unknown>();
  for (const { children } of node.children ?? []) {
    const [key, value] = children ?? [];
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (entries.has(name)) twice(name, key.offset);
    entries.set(name, valueOf(value, twice));
  }
  return Object.fromEntries(entries);
};

/** Parses JSON with comments and trailing commas; every problem with its line and column. */
export const parseJsonc = (text: string, path: string): E.Either<Err<"Config">, unknown> => {
  const problems: string[] = [];
  const say = (offset: number, what: string) =>
    problems.push(`Cannot read ${path}: ${place(text, offset)}: ${what}`);
  if (tooDeep(text)) {
    say(0, `brackets are nested deeper than ${MAX_DEPTH}, expected a configuration`);
    return E.left({ _tag: "Config", problems });
  }
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  for (const { error, offset } of errors.slice(0, 10)) {
    const what = printParseErrorCode(error).replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`).trim();
    say(offset, `${what}, expected JSON with comments`);
  }
  const value = tree === undefined ? undefined : valueOf(
    tree,
    (key, offset) => say(offset, `the key ${key} is given twice, expected once`),
  );
  return problems.length > 0 ? E.left({ _tag: "Config", problems }) : E.right(value);
};

/** Reads a configuration file of at most {@link MAX_CONFIG_BYTES}: an object, whatever is in it. */
export const readConfigFile = (path: string): TE.TaskEither<Err<"Config">, unknown> => async () => {
  const read = await readBounded(path, MAX_CONFIG_BYTES)();
  const refuse = (problem: string) =>
    E.left<Err<"Config">>({ _tag: "Config", problems: [problem] });
  if (E.isLeft(read)) return refuse(read.left.message);
  const text = decodeUtf8(read.right);
  if (text === undefined) {
    return refuse(`Cannot read ${path}: it is not UTF-8 text, expected JSON with comments`);
  }
  const parsed = parseJsonc(text, path);
  return E.isLeft(parsed) || isPlain(parsed.right)
    ? parsed
    : refuse(`Cannot read ${path}: it holds no settings, expected an object in { }`);
};

/** The text of UTF-8 bytes without a byte order mark, `undefined` where they are something else. */
export const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  const decoded = E.tryCatch(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes), String);
  return E.isRight(decoded) ? decoded.right : undefined;
};
