/**
 * A log in Markdown: prose, and blocks of commands with what they said.
 *
 * A block is of the language `console`, followed by what is to know about it: `recorded` is run by the
 * recorder only, `slow` by the recorder only where it is asked to, `ffmpeg` needs ffmpeg, `machine`
 * says what this machine is.
 */

/** What a block may be marked with. */
export const marks = ["recorded", "slow", "ffmpeg", "machine"] as const;
/** One of {@link marks}. */
export type Mark = typeof marks[number];

/** A command, of one line or more, and the lines that it wrote. */
export interface Entry {
  readonly command: string;
  readonly output: readonly string[];
}

/** Commands that belong together. */
export interface Block {
  readonly marks: readonly Mark[];
  readonly entries: readonly Entry[];
}

/** A log: lines of prose and blocks in their order. */
export type Log = readonly (string | Block)[];

const OPEN = "```console", CLOSE = "```", PROMPT = "$ ";

const isMark = (word: string): word is Mark => (marks as readonly string[]).includes(word);

const marksOf = (line: string): readonly Mark[] =>
  line.slice(OPEN.length).split(" ").filter((word) => word !== "").map((word) => {
    if (!isMark(word)) throw new Error(`a block is marked ${word}, expected ${marks.join(", ")}`);
    return word;
  });

/** How many lines from `at` on are one command: a backslash goes on, a here-document to its end. */
const lengthOf = (lines: readonly string[], at: number): number => {
  const end = /<<'(\w+)'/.exec(lines[at] ?? "")?.[1];
  if (end !== undefined) return lines.indexOf(end, at) + 1 - at;
  let last = at;
  while (lines[last]?.endsWith("\\")) last++;
  return last + 1 - at;
};

const entriesOf = (lines: readonly string[]): readonly Entry[] => {
  const entries: Entry[] = [];
  for (let at = 0; at < lines.length;) {
    const length = lengthOf(lines, at);
    const command = lines.slice(at, at + length).join("\n");
    if (!command.startsWith(PROMPT)) throw new Error(`"${command}" is no command, expected $ …`);
    const next = lines.findIndex((line, i) => i >= at + length && line.startsWith(PROMPT));
    const end = next === -1 ? lines.length : next;
    entries.push({ command: command.slice(PROMPT.length), output: lines.slice(at + length, end) });
    at = end;
  }
  return entries;
};

/** Reads a log; a block that is wrong is thrown, for it is a mistake of who wrote it. */
export const parseLog = (text: string): Log => {
  const lines = text.split("\n"), log: (string | Block)[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (!line.startsWith(OPEN)) {
      log.push(line);
      continue;
    }
    const close = lines.indexOf(CLOSE, at);
    if (close === -1) throw new Error(`the block in line ${at + 1} has no end`);
    log.push({ marks: marksOf(line), entries: entriesOf(lines.slice(at + 1, close)) });
    at = close;
  }
  return log;
};

/** Writes a log; what {@link parseLog} read comes out as it was. */
export const renderLog = (log: Log): string =>
  log.flatMap((part) =>
    typeof part === "string" ? [part] : [
      [OPEN, ...part.marks].join(" "),
      ...part.entries.flatMap(({ command, output }) => [PROMPT + command, ...output]),
      CLOSE,
    ]
  ).join("\n");
