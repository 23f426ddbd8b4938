/**
 * `deno task rank`.
 *
 * @module
 */
import { decodeConfig, oneOf, path, positiveInteger, strict } from "../core/config.ts";
import { E } from "../core/fp.ts";
import { withSignals } from "../core/signals.ts";
import { loadPerson } from "../programs/person_file.ts";
import { rankDrivers, type RankedDriver, rankings } from "../programs/rank_drivers.ts";
import type { Command } from "./command.ts";
import { settingsOf, yes } from "./settings.ts";
import type { Option } from "./options.ts";
import { say, terminalSink } from "./terminal.ts";

const options: readonly Option[] = [
  { name: "person", value: "FILE", help: "a person, made by embed or fine-tune (required)" },
  { name: "drivers", value: "DIR", help: "a folder of videos or landmark tracks (required)" },
  {
    name: "by",
    value: "NAME",
    help: "geometry (of the landmarks) or csim (a face recogniser's likeness, as in the paper) " +
      "(geometry)",
  },
  { name: "frames", value: "N", help: "frames of each driver to look at (24)", numeric: true },
  { name: "top", value: "N", help: "list only the best N (10)", numeric: true },
  { name: "json", help: "print the ranking as one JSON object on stdout" },
];

const Settings = strict({ person: path, drivers: path }, {
  by: oneOf(rankings),
  frames: positiveInteger,
  top: positiveInteger,
  json: yes,
});

const table = (all: readonly RankedDriver[], top: number): string => {
  const row = ({ path, geometry, csim }: RankedDriver): string =>
    geometry.toFixed(4).padStart(10) + (csim?.toFixed(3) ?? "").padStart(8) + `  ${path}`;
  const liked = all.some(({ csim }) => csim !== undefined) ? "CSIM" : "";
  const more = all.length > top ? [`and ${all.length - top} more`] : [];
  return [
    `${"geometry".padStart(10)}${liked.padStart(8)}  driver (the best first; geometry in eye ` +
    "distances, 0 is the same face)",
    ...all.slice(0, top).map(row),
    ...more,
  ].join("\n");
};

/** The command. */
export const rankCommand: Command = {
  name: "rank",
  about: "Finds the drivers in a folder whose face fits a person's best.",
  options,
  example: "deno task rank --person ada.safetensors --drivers clips/ --by csim",
  run: async (parsed) => {
    const settings = decodeConfig(Settings, "the options")(settingsOf(options, parsed));
    if (E.isLeft(settings)) return settings;
    const { person: file, drivers, by, frames, top = 10 } = settings.right;
    const person = await loadPerson(file)();
    if (E.isLeft(person)) return person;
    return await withSignals(async (signal) => {
      const terminal = terminalSink();
      const request = { drivers, ...(by && { by }), ...(frames && { frames }) };
      const ranked = await rankDrivers(request)(person.right)({ signal, emit: terminal.emit })();
      await terminal.close();
      return E.map((all: readonly RankedDriver[]) => ({
        json: { drivers: all },
        text: table(all, top),
      }))(
        ranked,
      );
    }, { onStop: () => say("Stopping") });
  },
};
