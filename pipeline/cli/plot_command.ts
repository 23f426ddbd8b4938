/**
 * `deno task plot RUN`.
 *
 * @module
 */
import { decodeConfig, path, strict } from "../core/config.ts";
import { E } from "../core/fp.ts";
import { replaceFile } from "../programs/checkpoint/durable.ts";
import { type Curves, readCurves } from "../programs/plot/curves.ts";
import type { Command } from "./command.ts";
import type { Option } from "./options.ts";
import { settingsOf, yes } from "./settings.ts";

const options: readonly Option[] = [
  {
    name: "run",
    value: "DIR",
    positional: true,
    help: "the folder of a meta-train run (required)",
  },
  { name: "out", value: "FILE.svg", help: "the picture (RUN/curves.svg)" },
  { name: "json", help: "print the last figures as one JSON object on stdout" },
];

const Settings = strict({ run: path }, { out: path, json: yes });

/** The last value of each figure. */
const lastOf = ({ training, unseen }: Curves): Readonly<Record<string, number>> =>
  Object.fromEntries([...training, ...unseen].map(({ name, value }) => [name, value]));

/** The command. */
export const plotCommand: Command = {
  name: "plot",
  about: "Draws the curves of a run: losses, norms of gradients, figures on unseen people.",
  options,
  example: "deno task plot runs/toy-64-001",
  run: async (parsed) => {
    const settings = decodeConfig(Settings, "the options")(settingsOf(options, parsed));
    if (E.isLeft(settings)) return settings;
    const { run } = settings.right, out = settings.right.out ?? `${run}/curves.svg`;
    const curves = await readCurves(run)();
    if (E.isLeft(curves)) return curves;
    const { drawCurves } = await import("../programs/plot/draw.ts"); // only here: it is large
    const at = out.lastIndexOf("/"), folder = at < 0 ? "." : out.slice(0, at) || "/";
    const picture = drawCurves(curves.right, run);
    const written = await replaceFile(folder, out.slice(at + 1), picture)();
    if (E.isLeft(written)) return written;
    return E.right({
      json: { out, figures: lastOf(curves.right) },
      text: `Wrote ${out}`,
    });
  },
};
