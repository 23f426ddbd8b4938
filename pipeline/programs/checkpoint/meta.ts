/**
 * `meta.json` of a checkpoint: what it is, and the hashes by which it is believed.
 *
 * @module
 */
import { E, t } from "../../core/fp.ts";
import { decodeConfig, nonNegativeInteger, refined, strict, text } from "../../core/config.ts";
import { decodeUtf8, MAX_CONFIG_BYTES } from "../../core/config_file.ts";
import { readBounded } from "../../core/files.ts";
import type { Digest } from "./durable.ts";

/** The format of checkpoints that this build writes; it reads no newer one. */
export const CHECKPOINT_FORMAT = 1;

/** The two files of a checkpoint, without their ending. */
export type Part = "weights" | "state";

/** The file of a part. */
export const partFile = (part: Part): string => `${part}.safetensors`;

/** What a checkpoint says about itself. */
export interface CheckpointMeta {
  /** The format of the checkpoint, {@link CHECKPOINT_FORMAT} or older. */
  readonly format: number;
  /** Steps done. */
  readonly step: number;
  /** The seed of the run. */
  readonly seed: number;
  /** Names the networks and their version: another one cannot read the weights. */
  readonly architecture: string;
  /** The configuration of the run, whole. */
  readonly config: unknown;
  /** What "best" means for this run, smaller is better. */
  readonly score?: number;
  /** When it was written, ISO. */
  readonly time: string;
  /** What its files must be found to be. */
  readonly files: Readonly<Record<Part, Digest>>;
}

const hex = refined(
  "a SHA-256 in hex",
  (value): value is string => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
);
const finite = refined(
  "a number",
  (value): value is number => typeof value === "number" && Number.isFinite(value),
);
const digest = strict({ bytes: nonNegativeInteger, sha256: hex });

const codec = strict({
  format: nonNegativeInteger,
  step: nonNegativeInteger,
  seed: finite,
  architecture: text,
  config: t.unknown,
  time: text,
  files: strict({ weights: digest, state: digest }),
}, { score: finite });

const parse = (json: string): unknown => {
  const parsed = E.tryCatch((): unknown => JSON.parse(json), String);
  return E.isRight(parsed) ? parsed.right : undefined;
};

const readJson = async (folder: string): Promise<E.Either<string, object>> => {
  const bytes = await readBounded(`${folder}/meta.json`, MAX_CONFIG_BYTES)();
  if (E.isLeft(bytes)) return E.left(bytes.left.message);
  const value = parse(decodeUtf8(bytes.right) ?? "");
  return typeof value === "object" && value !== null
    ? E.right(value)
    : E.left("its meta.json is not JSON");
};

const newerThanOurs = (value: object): string | undefined =>
  "format" in value && typeof value.format === "number" && value.format > CHECKPOINT_FORMAT
    ? `it was written in format ${value.format}, this build reads up to ${CHECKPOINT_FORMAT}`
    : undefined;

/**
 * The problem, in words, of a checkpoint of a format that only a newer build reads; undefined of any
 * other. Such a one is not broken: it is neither passed over nor replaced.
 */
export const newerFormat = async (folder: string): Promise<string | undefined> => {
  const value = await readJson(folder);
  return E.isRight(value) ? newerThanOurs(value.right) : undefined;
};

/** Reads the `meta.json` of a checkpoint folder; the problem, in words, where it cannot be used. */
export const readMeta = async (folder: string): Promise<E.Either<string, CheckpointMeta>> => {
  const value = await readJson(folder);
  if (E.isLeft(value)) return value;
  const newer = newerThanOurs(value.right);
  if (newer !== undefined) return E.left(newer);
  const decoded = decodeConfig(codec, "meta.json")(value.right);
  return E.isRight(decoded)
    ? decoded
    : E.left(decoded.left.problems[0] ?? "its meta.json is wrong");
};
