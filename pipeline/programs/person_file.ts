/**
 * A person as one `.safetensors` file that drives alone (DESIGN 8): numbers and a description,
 * bound together by a hash. Nothing in it can run.
 *
 * @module
 */
import { type PresetName, presetNames, presets } from "../../models/presets.ts";
import { decodeConfig, oneOf, positiveInteger, refined, strict, text } from "../core/config.ts";
import type { Err } from "../core/errors.ts";
import { readBounded } from "../core/files.ts";
import { E, type Either, F, type TaskEither, TE } from "../core/fp.ts";
import type { Image, Landmarks } from "../core/image.ts";
import { attempt, replaceFile, sha256 } from "./checkpoint/durable.ts";
import {
  type HostTensor,
  type HostTensors,
  readSafetensors,
  safetensorsChunks,
  writeSafetensors,
} from "../core/safetensors.ts";
import {
  coefficientCount,
  expectedGenerator,
  type ExpectedTensor,
  type Person,
  type PersonKind,
} from "./person.ts";

/** The format of person files that this build writes; it reads no other. */
export const PERSON_FORMAT = 1;

/** Largest person file that is read, in bytes: four times what `paper-256` takes. */
export const MAX_PERSON_BYTES = 512 * 2 ** 20;

/** At most so many source frames are described. */
const MAX_SOURCES = 10_000;

const hex = refined(
  "a SHA-256 in hex",
  (value): value is string => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
);

/** What the header says of a person, beside the numbers. */
const description = strict({
  format: oneOf([String(PERSON_FORMAT)]),
  kind: oneOf(["embedded", "fine-tuned"]),
  preset: oneOf(presetNames as [PresetName, ...PresetName[]]),
  pooling: oneOf(["sum-relu", "relu-sum"]),
  gain: oneOf(["raw", "one-plus"]),
  rasterizer: strict({ size: positiveInteger, thickness: positiveInteger }),
  model: hex,
  consent: text,
});

const array = (shape: readonly number[], data: Float32Array): HostTensor => ({
  dtype: "F32",
  shape,
  data,
});

/** The hash that binds numbers and description: of the text, then of every tensor in file order. */
const sealOf = (said: string, tensors: HostTensors): string =>
  sha256([new TextEncoder().encode(said), ...safetensorsChunks(tensors)]);

/** The bytes of a person's file; the same person gives the same bytes. */
export const encodePerson = (person: Person): Uint8Array<ArrayBuffer> => {
  const { kind, preset, pooling, gain, rasterizer, model, consent, portrait, sources } = person;
  const { size } = presets[preset].architecture;
  const landmarks = new Float32Array(sources.length * 136);
  sources.forEach((points, i) => landmarks.set(points, i * 136));
  const tensors: HostTensors = {
    ...person.generator,
    "embedding": array([person.embedding.length], person.embedding),
    "coefficients": array([person.coefficients.length], person.coefficients),
    "portrait/image": array([size, size, 3], Float32Array.from(portrait.image.data)),
    "portrait/landmarks": array([68, 2], portrait.landmarks),
    "sources/landmarks": array([sources.length, 68, 2], landmarks),
  };
  const said = JSON.stringify({
    ...{ format: String(PERSON_FORMAT), kind, preset, pooling, gain },
    ...{ rasterizer, model, consent },
  });
  return writeSafetensors(tensors, { headshotPerson: said, sha256: sealOf(said, tensors) });
};

const expectedTensors = (preset: PresetName, sources: number): readonly ExpectedTensor[] => {
  const { size, embedding } = presets[preset].architecture;
  return [
    ...expectedGenerator(preset),
    { name: "embedding", shape: [embedding] },
    { name: "coefficients", shape: [coefficientCount(preset)] },
    { name: "portrait/image", shape: [size, size, 3] },
    { name: "portrait/landmarks", shape: [68, 2] },
    { name: "sources/landmarks", shape: [sources, 68, 2] },
  ];
};

/** What is wrong with the tensors of a file, in words. */
const tensorProblem = (
  tensors: HostTensors,
  expected: readonly ExpectedTensor[],
): string | undefined => {
  for (const { name, shape } of expected) {
    const found = tensors[name];
    if (!found) return `${name} is missing, expected [${shape}]`;
    if (found.dtype !== "F32" || found.shape.join() !== shape.join()) {
      return `${name} is ${found.dtype} [${found.shape}], expected F32 [${shape}]`;
    }
    if (!found.data.every(Number.isFinite)) return `${name} is not finite, expected numbers`;
  }
  const known = new Set(expected.map(({ name }) => name));
  const unknown = Object.keys(tensors).find((name) => !known.has(name));
  return unknown === undefined ? undefined : `it holds ${unknown}, which no person has`;
};

const numbersOf = (tensors: HostTensors, name: string): Float32Array =>
  Float32Array.from(tensors[name]?.data ?? []);

const imageOf = (values: Float32Array, size: number): Image => ({
  width: size,
  height: size,
  channels: 3,
  data: Uint8Array.from(values, (value) => Math.min(255, Math.max(0, Math.round(value)))),
});

/**
 * Reads the bytes of a person's file; `path` is for messages. `BadFile` where it is no person of
 * this format, where a number is missing or misshapen, or where the hash does not hold.
 */
export const decodePerson = (
  bytes: Uint8Array<ArrayBuffer>,
  path: string,
): Either<Err<"BadFile">, Person<PersonKind>> => {
  const refuse = (problem: string) =>
    E.left<Err<"BadFile">>({ _tag: "BadFile", path, message: `Cannot read ${path}: ${problem}` });
  const read = readSafetensors(bytes, path);
  if (E.isLeft(read)) return read;
  const { tensors, metadata } = read.right;
  const said = metadata.headshotPerson;
  if (said === undefined) {
    return refuse("it holds no person, expected a file of embed or fine-tune");
  }
  const parsed = E.tryCatch((): unknown => JSON.parse(said), String);
  const about = decodeConfig(description, "its description")(E.isRight(parsed) && parsed.right);
  if (E.isLeft(about)) return refuse(about.left.problems.join("; ").replace(/^Cannot use /, ""));
  const { format: _, ...described } = about.right, { preset } = described;
  const count = tensors["sources/landmarks"]?.shape[0] ?? 0;
  if (count < 1 || count > MAX_SOURCES) {
    return refuse(`it describes ${count} source frames, expected 1 to ${MAX_SOURCES}`);
  }
  const problem = tensorProblem(tensors, expectedTensors(preset, count));
  if (problem !== undefined) return refuse(problem);
  if (metadata.sha256 !== sealOf(said, tensors)) {
    return refuse("it is damaged: its SHA-256 does not hold, expected the file as it was written");
  }
  const landmarks = numbersOf(tensors, "sources/landmarks");
  const { size } = presets[preset].architecture;
  return E.right({
    ...described,
    embedding: numbersOf(tensors, "embedding"),
    coefficients: numbersOf(tensors, "coefficients"),
    generator: Object.fromEntries(
      expectedGenerator(preset).flatMap(({ name }) => {
        const tensor = tensors[name];
        return tensor ? [[name, tensor]] : [];
      }),
    ),
    portrait: {
      image: imageOf(numbersOf(tensors, "portrait/image"), size),
      landmarks: numbersOf(tensors, "portrait/landmarks"),
    },
    sources: Array.from(
      { length: count },
      (_, i): Landmarks => landmarks.slice(i * 136, (i + 1) * 136),
    ),
  });
};

/** Splits a path into the folder that holds it and its name there. */
const placeOf = (path: string): { readonly folder: string; readonly name: string } => {
  const at = Math.max(
    path.lastIndexOf("/"),
    Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1,
  );
  return { folder: at < 0 ? "." : path.slice(0, at) || "/", name: path.slice(at + 1) };
};

/**
 * Whether a person can be written there: asked before minutes of work. `Config` where something of
 * that name exists and may not be replaced, or where the name is a folder's.
 */
export const checkPersonPath = (
  path: string,
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): TaskEither<Err<"Config">, void> =>
async () => {
  const refuse = (problem: string): Either<Err<"Config">, never> =>
    E.left({ _tag: "Config", problems: [`Cannot write ${path}: ${problem}`] });
  if (placeOf(path).name === "") return refuse("it is a folder, expected the name of a file");
  const there = await Deno.lstat(path).catch(() => undefined);
  if (there?.isDirectory) return refuse("it is a folder, expected the name of a file");
  if (there && !overwrite) return refuse("it exists, expected a new name, or --overwrite");
  return E.right(undefined);
};

/**
 * Writes a person's file as a whole or not at all; an existing one is replaced only where asked.
 * Errors: `Config` where it exists, `Checkpoint` where it cannot be written.
 */
export const savePerson = (
  path: string,
  options: { readonly overwrite?: boolean } = {},
): (person: Person) => TaskEither<Err<"Config" | "Checkpoint">, string> => {
  const { folder, name } = placeOf(path);
  return (person) =>
    F.pipe(
      checkPersonPath(path, options),
      TE.flatMap((): TaskEither<Err<"Config" | "Checkpoint">, void> =>
        attempt(path, `make ${folder}`, () => Deno.mkdir(folder, { recursive: true }))
      ),
      TE.flatMap((): TaskEither<Err<"Config" | "Checkpoint">, string> =>
        replaceFile(folder, name, encodePerson(person))
      ),
      TE.map(() => path),
    );
};

/** Reads a person's file of at most {@link MAX_PERSON_BYTES}. Errors: `BadFile`. */
export const loadPerson = (path: string): TaskEither<Err<"BadFile">, Person<PersonKind>> =>
  F.pipe(
    readBounded(path, MAX_PERSON_BYTES),
    TE.flatMap((bytes): TaskEither<Err<"BadFile">, Person<PersonKind>> =>
      TE.fromEither(decodePerson(bytes, path))
    ),
  );
