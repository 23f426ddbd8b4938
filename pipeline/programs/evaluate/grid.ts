/**
 * Comparison pictures in the shape of the paper's figures 3 and 4: one row a person, a source
 * frame, the driving landmarks, the truth, then every answer.
 *
 * @module
 */
import { decodeImage, encodePng } from "../../../datasets/codec.ts";
import { contactSheet } from "../../../datasets/drawing.ts";
import type { Err } from "../../core/errors.ts";
import { readBounded } from "../../core/files.ts";
import { E, F, type TaskEither, TE } from "../../core/fp.ts";
import type { Image } from "../../core/image.ts";
import { replaceFile } from "../checkpoint/durable.ts";
import { mapFrame } from "../device_batch.ts";
import type { Question } from "./protocol.ts";
import { fileNameOf } from "./store.ts";

type Failure = Err<"BadFile" | "Checkpoint">;

const MAX_BYTES = 64 * 1024 * 1024;
const rowsOfGrid = 8;

const stripName = (key: string, shots: number): string => `${fileNameOf(key)}-t${shots}.png`;

const write = (folder: string, name: string, image: Image): TaskEither<Failure, string> =>
  F.pipe(
    encodePng(image),
    TE.flatMap((bytes): TaskEither<Failure, string> => replaceFile(folder, name, bytes)),
  );

/** Writes a person's row: the hold-out frame in the middle of the list and what all make of it. */
export const writeStrip = (
  out: string,
  key: string,
  shots: number,
  { sources, targets }: Question,
  answers: readonly (readonly Image[])[],
): TaskEither<Failure, string> => {
  const at = Math.floor(targets.length / 2);
  const target = targets[at], source = sources[Math.floor(sources.length / 2)];
  if (!target || !source) throw new Error("Cannot draw a row: there are no frames");
  const row = [
    source.image,
    mapFrame(target).map,
    target.image,
    ...answers.flatMap((images) => images[at] ?? []),
  ];
  return write(`${out}/people`, stripName(key, shots), contactSheet(row, row.length, { gap: 2 }));
};

/** Puts the rows of the first people under each other: `grid-t8.png`. */
export const writeGrid = (
  out: string,
  keys: readonly string[],
  shots: number,
): TaskEither<Failure, string> =>
async () => {
  const strips: Image[] = [];
  for (const key of keys) {
    if (strips.length === rowsOfGrid) break;
    const name = stripName(key, shots);
    const bytes = await readBounded(`${out}/people/${name}`, MAX_BYTES)();
    if (E.isLeft(bytes)) continue; // nobody answered for this person: the report says why
    const image = await decodeImage(bytes.right, name)();
    if (E.isLeft(image)) return image;
    strips.push(image.right);
  }
  return await write(out, `grid-t${shots}.png`, contactSheet(strips, 1))();
};
