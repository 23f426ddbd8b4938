/**
 * `deno task walkthrough [--stop] [TEXT…]`: runs the commands of docs/walkthrough.md in their order, in a
 * fresh clone in an empty home with an empty cache, and writes what they say into it. Slow blocks
 * stay as they are unless one of the texts is in their commands; with --stop nothing is run after the
 * last one of these.
 */
import { fileURLToPath } from "node:url";
import { type Block, parseLog, renderLog } from "./log.ts";
import { linesOf } from "./output.ts";
import { bareEnv, type Place, runIn, type Session } from "./session.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const path = `${root}docs/walkthrough.md`;

const say = (line: string): void => {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
};

/** The clone's address stands for this working copy. */
const cloneFromHere = {
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: `url.file://${root}.insteadOf`,
  GIT_CONFIG_VALUE_0: "https://example.org/headshot.git",
};

interface Recorded {
  readonly place: Place;
  readonly block: Block;
}

const record = async (session: Session, start: Place, block: Block): Promise<Recorded> => {
  let place = start;
  const entries = [];
  for (const [i, { command }] of block.entries.entries()) {
    say(`$ ${command}`);
    const said = await runIn(session)(place, command);
    place = said.place;
    const output = linesOf(said.text, [[session.home, "~"]]);
    output.forEach(say);
    entries.push({ command, output });
    const asked = block.entries[i + 1]?.command === "echo $?";
    if (place.code !== 0 && !asked) {
      say(`It ended with ${place.code}, expected 0, or "echo $?" after it`);
      Deno.exitCode = 1;
    }
  }
  return { place, block: { ...block, entries } };
};

if (import.meta.main) {
  const home = await Deno.makeTempDir({ prefix: "headshot-" });
  const env = { ...bareEnv(home, `${home}/.local/bin:/usr/bin:/bin`), ...cloneFromHere };
  const texts = Deno.args.filter((arg) => arg !== "--stop");
  const named = ({ entries }: Block): boolean =>
    texts.some((text) => entries.some(({ command }) => command.includes(text)));
  try {
    const log = [...parseLog(await Deno.readTextFile(path))];
    const isSlow = (part: string | Block) =>
      typeof part !== "string" && part.marks.includes("slow");
    const last = log.findLastIndex((part) =>
      typeof part !== "string" && isSlow(part) && named(part)
    );
    const end = Deno.args.includes("--stop") ? last : log.length;
    let place: Place = { folder: home, code: 0 };
    for (const [i, part] of log.entries()) {
      if (i > end || typeof part === "string" || (isSlow(part) && !named(part))) continue;
      const done = await record({ home, env }, place, part);
      place = done.place;
      log[i] = done.block;
      await Deno.writeTextFile(path, renderLog(log)); // whatever happens to the next one
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
