/**
 * What an evaluation keeps on the disk: one file a person, so that a killed evaluation goes on
 * with the next one, and a table and pictures at the end.
 *
 * @module
 */
import {
  type Codec,
  decodeConfig,
  listOf,
  nonNegativeNumber,
  positiveInteger,
  refined,
  strict,
  text,
} from "../../core/config.ts";
import { differences, renderDifference } from "../../core/differences.ts";
import type { Err } from "../../core/errors.ts";
import { readBounded } from "../../core/files.ts";
import { E, F, type TaskEither, TE } from "../../core/fp.ts";
import { type HostTensors, writeSafetensors } from "../../core/safetensors.ts";
import { attempt, replaceFile } from "../checkpoint/durable.ts";
import type { FrameFigures } from "./frame_figures.ts";
import type { Measured } from "./table.ts";

/** An answer that could not be given: a line in the report, never a silent gap. */
export interface Unanswered {
  /** `<identity>/<video>`. */
  readonly key: string;
  /** T. */
  readonly shots: number;
  /** Who did not answer; empty where the frames could not be read. */
  readonly answer: string;
  /** Why, in one sentence. */
  readonly problem: string;
}

/** All that is known of one person. */
export interface PersonResults {
  /** `<identity>/<video>`. */
  readonly key: string;
  /** One for each T and answer. */
  readonly measured: readonly Measured[];
  /** What could not be answered. */
  readonly unanswered: readonly Unanswered[];
}

const finite: Codec<number> = refined(
  "a number",
  (value): value is number => typeof value === "number" && Number.isFinite(value),
);

const anyText: Codec<string> = refined(
  "text",
  (value): value is string => typeof value === "string",
);

const frameFigures: Codec<FrameFigures> = strict({
  ssim: finite,
  csim: finite,
  l1: nonNegativeNumber,
  landmarkError: nonNegativeNumber,
  undetected: nonNegativeNumber,
}, { lpips: nonNegativeNumber });

const personResults: Codec<PersonResults> = strict({
  key: text,
  measured: listOf(strict({
    identity: text,
    shots: positiveInteger,
    answer: text,
    frames: listOf(frameFigures),
  })),
  unanswered: listOf(strict({ key: text, shots: positiveInteger, answer: anyText, problem: text })),
});

const MAX_BYTES = 64 * 1024 * 1024;
const settingsFile = "evaluation.json";

/** The file name of a person without its extension: any key, one flat folder. */
export const fileNameOf = (key: string): string => encodeURIComponent(key).replaceAll("*", "%2A");

const readJson = async (path: string): Promise<unknown> => {
  const bytes = await readBounded(path, MAX_BYTES)();
  if (E.isLeft(bytes)) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes.right));
  } catch {
    return undefined;
  }
};

/**
 * Opens the folder of an evaluation, a new one or one with the same settings. `Config` where it
 * holds another evaluation, `Checkpoint` where it cannot be written.
 */
export const openEvaluation = (
  out: string,
  settings: unknown,
): TaskEither<Err<"Config" | "Checkpoint">, void> =>
async () => {
  const made = await attempt(out, `make ${out}`, async () => {
    await Deno.mkdir(`${out}/people`, { recursive: true });
  })();
  if (E.isLeft(made)) return made;
  const before = await readJson(`${out}/${settingsFile}`);
  if (before === undefined) {
    const written = await replaceFile(out, settingsFile, JSON.stringify(settings, undefined, 2))();
    return E.isLeft(written) ? written : E.right(undefined);
  }
  const changed = differences(before, JSON.parse(JSON.stringify(settings)));
  return changed.length === 0 ? E.right(undefined) : E.left({
    _tag: "Config",
    problems: [
      `Cannot evaluate into ${out}: it holds another evaluation ` +
      `(${changed.slice(0, 3).map(renderDifference).join("; ")}), expected a new folder`,
    ],
  });
};

/** The results of a person that an earlier attempt has left; undefined where there are none. */
export const readPerson = async (
  out: string,
  key: string,
): Promise<PersonResults | undefined> => {
  const decoded = decodeConfig(personResults)(
    await readJson(`${out}/people/${fileNameOf(key)}.json`),
  );
  return E.isRight(decoded) && decoded.right.key === key ? decoded.right : undefined;
};

/** Where the features of a person's pictures are kept. */
export const featuresPath = (out: string, key: string): string =>
  `${out}/people/${fileNameOf(key)}.safetensors`;

/** Keeps the results of a person; the features, where there are any, before the figures. */
export const writePerson = (
  out: string,
  results: PersonResults,
  features: HostTensors,
): TaskEither<Err<"Checkpoint">, string> => {
  const folder = `${out}/people`, name = fileNameOf(results.key);
  const figures = replaceFile(folder, `${name}.json`, JSON.stringify(results));
  return Object.keys(features).length === 0 ? figures : F.pipe(
    replaceFile(folder, `${name}.safetensors`, writeSafetensors(features)),
    TE.flatMap(() => figures),
  );
};
