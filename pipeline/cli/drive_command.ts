/**
 * `deno task drive`.
 *
 * @module
 */
import { retargetNames } from "../../datasets/track/retarget.ts";
import {
  type Codec,
  decodeConfig,
  nonNegativeNumber,
  oneOf,
  path,
  positiveInteger,
  refined,
  strict,
  text,
} from "../core/config.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { E, F, TE } from "../core/fp.ts";
import { drive } from "../programs/drive.ts";
import type { DriveOptions, DriveResult } from "../programs/drive_options.ts";
import { kernelStorages } from "../programs/render.ts";
import { loadPerson } from "../programs/person_file.ts";
import type { Command } from "./command.ts";
import type { Option, Parsed } from "./options.ts";
import { runOnBackend } from "./run_on_backend.ts";
import { settingsOf, yes } from "./settings.ts";

const options: readonly Option[] = [
  { name: "person", value: "FILE", help: "a person, made by embed or fine-tune (required)" },
  {
    name: "driver",
    value: "VIDEO|TRACK.json|synthetic:ID",
    help: "whose motion: a video, a saved landmark track, a synthetic person like synthetic:7/2 " +
      "(required)",
  },
  { name: "out", value: "FILE.mp4|FILE.gif|DIR", help: "the film: a new name (required)" },
  {
    name: "retarget",
    value: "NAME",
    help: "relative, parts or none: whose face the landmarks have, the person's or, with none, " +
      "the driver's (relative)",
  },
  { name: "side-by-side", help: "source | landmarks | driver | result" },
  {
    name: "frames",
    value: "N",
    help: "only the first N frames (all; 100 of synthetic:ID)",
    numeric: true,
  },
  {
    name: "hold",
    value: "SECONDS",
    help: "for how long the last good frame stands in for a lost face (1)",
    numeric: true,
  },
  { name: "no-smooth", help: "landmarks as they are seen, trembling" },
  { name: "enlarge", value: "N", help: "every pixel as N × N (1)", numeric: true },
  {
    name: "save-track",
    value: "FILE.json",
    help: "keep the driver's landmarks as a track (not kept)",
  },
  { name: "no-mark", help: "leave out the letters AI in the corner of the result" },
  { name: "no-metadata", help: "leave out the note in the file that says it is synthetic" },
  {
    name: "storage",
    value: "NAME",
    help: "f32, or f16: kernels in half the memory of a GPU, with the arithmetic of f32 (f32)",
  },
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm, native or cpu (auto)" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

const few: Codec<number> = refined(
  "an integer from 1 to 16",
  (value): value is number => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 16,
);

const Settings = strict({ person: path, driver: text, out: path }, {
  "retarget": oneOf(retargetNames),
  "side-by-side": yes,
  "frames": positiveInteger,
  "hold": nonNegativeNumber,
  "no-smooth": yes,
  "enlarge": few,
  "save-track": path,
  "no-mark": yes,
  "no-metadata": yes,
  "storage": oneOf(kernelStorages),
  "backend": oneOf(["auto", "webgpu", "wasm", "cpu", "native"]),
  "json": yes,
});

const configure = (parsed: Parsed): E.Either<Err<"Config">, {
  readonly person: string;
  readonly backend: "auto" | "webgpu" | "wasm" | "cpu" | "native";
  readonly options: DriveOptions;
}> =>
  F.pipe(
    decodeConfig(Settings, "the options")(settingsOf(options, parsed)),
    E.map((
      { person, driver, out, backend = "auto", retarget, storage, frames, hold, ...rest },
    ) => ({
      person,
      backend,
      options: {
        driver,
        out,
        sideBySide: rest["side-by-side"] ?? false,
        smooth: !rest["no-smooth"],
        mark: !rest["no-mark"],
        metadata: !rest["no-metadata"],
        enlarge: rest.enlarge ?? 1,
        ...(retarget && { retarget }),
        ...(storage && { storage }),
        ...(frames && { frames }),
        ...(hold !== undefined && { holdSeconds: hold }),
        ...(rest["save-track"] && { saveTrack: rest["save-track"] }),
      },
    })),
  );

/** The result of a drive for people. */
export const driveText = (
  { out, frames, framesPerSecond, held, sound, marked, secondsPerFrame }: DriveResult,
): string =>
  [
    `Wrote ${out}: ${frames} frames, ${+framesPerSecond.toFixed(3)} a second` +
    `${sound ? ", with the driver's sound" : ""}; ${
      (1000 * secondsPerFrame).toFixed(0)
    } ms a frame`,
    ...(held > 0
      ? [`The driver's face was lost in ${held} frames: the last good one stands in`]
      : []),
    ...(marked ? [] : ["It carries no visible mark: say that it is synthetic where you show it"]),
  ].join("\n");

/** The command. */
export const driveCommand: Command = {
  name: "drive",
  about: "Drives a person by the facial landmarks of a video, a track or a synthetic person.",
  options,
  example: "deno task drive --person ada.safetensors --driver talk.mp4 --out ada.mp4",
  run: async (parsed) => {
    const settings = configure(parsed);
    if (E.isLeft(settings)) return settings;
    const person = await loadPerson(settings.right.person)();
    if (E.isLeft(person)) return person;
    const result = await runOnBackend(
      settings.right.backend,
      "Stopping: nothing of the film is kept",
      (env): TE.TaskEither<PipelineError, DriveResult> =>
        drive(settings.right.options)(person.right)(env),
    );
    return E.map((done: DriveResult) => ({ json: done, text: driveText(done) }))(result);
  },
};
