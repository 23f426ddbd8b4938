/**
 * `deno task verify`.
 *
 * @module
 */
import { writeImage } from "../../datasets/codec.ts";
import { contactSheet } from "../../datasets/drawing.ts";
import { type Verification, verifyPrepared } from "../../datasets/prepare/verify.ts";
import type { PipelineError } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import { withSignals } from "../core/signals.ts";
import type { Command } from "./command.ts";
import { numberOr, type Option, type Parsed } from "./options.ts";
import { terminalSink } from "./terminal.ts";

const options: readonly Option[] = [
  { name: "data", value: "DIR", help: "the folder that prepare made (required)", positional: true },
  { name: "shots", value: "K", help: "a sequence needs K + 1 frames (8)", numeric: true },
  { name: "sheet", value: "FILE", help: "the contact sheet (DIR/contact_sheet.png)" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

const COLUMNS = 8;

const table = ({ problems, shards, index, sequences }: Verification, sheet: string): string => {
  const header = `${"shard".padEnd(18)}${"clips".padStart(8)}${"frames".padStart(10)}` +
    `${"MB".padStart(10)}  state`;
  const rows = shards.map(({ name, clips, frames, bytes, problems }) =>
    name.padEnd(18) + String(clips).padStart(8) + String(frames).padStart(10) +
    (bytes / 1e6).toFixed(1).padStart(10) + (problems === 0 ? "  whole" : `  ${problems} problems`)
  );
  const parts = Object.entries(index.splits).map(([split, { identities, frames }]) =>
    `${split} ${identities} people with ${frames} frames`
  );
  const end = problems.length === 0
    ? "Everything is as it should be."
    : `${problems.length} problems:\n${problems.join("\n")}`;
  const people = `${parts.join(", ")}; ${sequences} sequences; ${index.rejected} clips rejected`;
  return [header, ...rows, people, `Look at ${sheet}`, end].join("\n");
};

const text = (parsed: Parsed, name: string): string | undefined => {
  const value = parsed[name];
  return typeof value === "string" ? value : undefined;
};

const bad = (problem: string): E.Either<PipelineError, never> =>
  E.left({ _tag: "Config", problems: [problem] });

/** The command. */
export const verifyCommand: Command = {
  name: "verify",
  about: "Reads every shard of a prepared folder and says everything that is wrong with it.",
  options,
  example: "deno task verify prepared/",
  run: async (parsed) => {
    const path = text(parsed, "data"), shots = numberOr(text(parsed, "shots") ?? "8");
    if (path === undefined) return bad("Cannot verify: no folder is given, expected verify DIR");
    if (typeof shots !== "number" || !Number.isInteger(shots) || shots < 1) {
      return bad(`Cannot verify for --shots ${shots}: expected a positive whole number`);
    }
    const verified = await withSignals(async (signal) => {
      const terminal = terminalSink();
      try {
        return await verifyPrepared({ path, shots })({ emit: terminal.emit, signal })();
      } finally {
        await terminal.close();
      }
    });
    if (E.isLeft(verified)) return verified;
    const { pictures, index, ...found } = verified.right;
    const sheet = text(parsed, "sheet") ?? `${path.replace(/(?<=.)\/+$/, "")}/contact_sheet.png`;
    if (pictures.length > 0) {
      const image = contactSheet(pictures, COLUMNS, { gap: 2 });
      const written = await writeImage(sheet, image)();
      if (E.isLeft(written)) return written;
    }
    return E.right({
      json: { ...found, splits: index.splits, settings: index.settings, sheet },
      text: table(verified.right, sheet),
      code: found.problems.length === 0 ? 0 : 1,
    });
  },
};
