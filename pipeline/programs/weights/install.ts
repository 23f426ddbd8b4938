/**
 * Weights of frozen networks on this machine: converting files, fetching them, listing what is
 * there.
 *
 * @module
 */
import type { NetworkName } from "../../../models/weights/architecture.ts";
import {
  catalogue,
  type CatalogueEntry,
  type Evidence,
  sumOf,
} from "../../../models/weights/catalogue.ts";
import {
  type Converted,
  type ConvertOptions,
  convertTensors,
} from "../../../models/weights/convert.ts";
import { readWeights } from "../../../models/weights/read.ts";
import { weightsRefusal } from "../../../models/perceptual/weight_file.ts";
import type { Err } from "../../core/errors.ts";
import { fileProblem } from "../../core/files.ts";
import { E, type Either, type TaskEither, TE } from "../../core/fp.ts";
import { readSafetensorsHeader, writeSafetensors } from "../../core/safetensors.ts";
import { replaceFile } from "../checkpoint/durable.ts";
import { type Download, downloadFile } from "./download.ts";

/** What was written. */
export interface Conversion {
  readonly path: string;
  readonly network: NetworkName;
  /** Format and dialect of the file that was read. */
  readonly from: string;
  readonly tensors: number;
  readonly parameters: number;
  /** Names of what was not used. */
  readonly unused: readonly string[];
  readonly notes: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What is known of a file besides its content. */
export interface ConvertFileOptions extends ConvertOptions {
  readonly licence?: string;
  /** Where it is from; default its name. */
  readonly source?: string;
}

const nameOf = (path: string): string => path.replace(/\/+$/, "").replace(/^.*\//, "");

/**
 * Reads weights of any known format, recognises their network and writes it as safetensors. `BadFile`
 * where it cannot be read or is no network that is known, `Checkpoint` where it cannot be written.
 */
export const convertFile = (
  input: string,
  output: string,
  options: ConvertFileOptions = {},
): TaskEither<Err<"BadFile" | "Checkpoint">, Conversion> =>
async () => {
  const read = await readWeights(input)();
  if (E.isLeft(read)) return read;
  const converted = convertTensors(read.right, options);
  if (E.isLeft(converted)) return E.left(weightsRefusal(input, converted.left));
  const { network, dialect, tensors, unused, notes }: Converted = converted.right;
  const metadata = {
    source: options.source ?? nameOf(input),
    sourceSha256: read.right.sha256,
    licence: options.licence ?? "unknown",
    ...converted.right.metadata,
  };
  const folder = output.includes("/") ? output.slice(0, output.lastIndexOf("/")) || "/" : ".";
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    return E.left({
      _tag: "Checkpoint",
      path: output,
      message: `Cannot write ${output}: ${fileProblem(cause)}`,
    });
  }
  const written = await replaceFile(folder, nameOf(output), writeSafetensors(tensors, metadata))();
  if (E.isLeft(written)) return written;
  return E.right({
    path: output,
    network: network.name,
    from: `${read.right.format}, ${dialect}`,
    tensors: Object.keys(tensors).length,
    parameters: Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0),
    unused,
    notes,
    metadata,
  });
};

/** Where fetched weights are, as safetensors. */
export const installedPath = (cache: string, name: string): string =>
  `${cache}/${name}.safetensors`;

/** What fetching needs to know. */
export interface FetchOptions
  extends Pick<Download, "signal" | "progress" | "retries" | "silence"> {
  readonly cache: string;
  /** Where to fetch from instead of the catalogue's address. */
  readonly url?: string;
  /** The SHA-256 of what is there, whole. */
  readonly sha256?: string;
}

const sourceOf = (
  { name, source, npm, origin }: CatalogueEntry,
  { url, sha256 }: FetchOptions,
): Either<Err<"Config">, { readonly url: string; readonly sha256: string }> => {
  const bad = (problem: string) =>
    E.left<Err<"Config">>({ _tag: "Config", problems: [`Cannot fetch ${name}: ${problem}`] });
  if (npm !== undefined) return bad(`npm brings it with ${npm}, expected nothing to do`);
  if (url !== undefined) {
    return /^[0-9a-fA-F]{64}$/.test(sha256 ?? "")
      ? E.right({ url, sha256: (sha256 ?? "").toLowerCase() })
      : bad(`the file at ${url} has no known sum, expected --sha256 with 64 hexadecimal digits`);
  }
  return source
    ? E.right({ url: source.url, sha256: sha256?.toLowerCase() ?? source.sha256 })
    : bad(
      `no file with a known sum is published (${origin}), expected --url URL --sha256 HEX, or ` +
        `deno task weights convert FILE ${installedPath("CACHE", name)}`,
    );
};

/**
 * Fetches weights of the catalogue and converts them; what is installed already is left alone. The
 * downloaded file is removed after its conversion.
 */
export const fetchWeights = (
  entry: CatalogueEntry,
  options: FetchOptions,
): TaskEither<Err<"Config" | "BadFile" | "Checkpoint" | "Aborted">, Conversion | string> =>
async () => {
  const source = sourceOf(entry, options);
  if (E.isLeft(source)) return source;
  const { url, sha256 } = source.right, path = installedPath(options.cache, entry.name);
  const there = await readSafetensorsHeader(path)();
  if (E.isRight(there) && there.right.metadata["sourceSha256"]?.startsWith(sha256)) {
    return E.right(path);
  }
  try {
    await Deno.mkdir(options.cache, { recursive: true });
  } catch (cause) {
    return E.left(weightsRefusal(options.cache, fileProblem(cause)));
  }
  const original = `${options.cache}/${entry.name}.download`;
  const { retries, silence, progress, signal } = options;
  const downloaded = await downloadFile({
    ...{ url, sha256, path: original, signal },
    ...(retries === undefined ? {} : { retries }),
    ...(silence === undefined ? {} : { silence }),
    ...(progress === undefined ? {} : { progress }),
  })();
  if (E.isLeft(downloaded)) return downloaded;
  const { licence } = entry;
  const converted = await convertFile(original, path, { ...entry.options, licence, source: url })();
  if (E.isLeft(converted)) return converted;
  await Deno.remove(original);
  if (sha256.length === 64) return converted;
  const note = `Only ${sha256.length} of the 64 digits of its SHA-256 were known and compared; ` +
    `this file's is ${downloaded.right}: compare it with a source that you trust`;
  return E.right({ ...converted.right, notes: [...converted.right.notes, note] });
};

/** One line of the list. */
export interface Installed {
  readonly name: string;
  readonly title: string;
  readonly serves: string;
  readonly licence: string;
  readonly origin: string;
  /** Where it is; undefined where it is not. */
  readonly path?: string;
  /** What the file says of itself. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** How to get it, where it is not there. */
  readonly get?: string;
  /** How much of its file's SHA-256 is known; nothing for what npm brings, which npm checks. */
  readonly sum?: ReturnType<typeof sumOf>;
  /** How all of this is known. */
  readonly evidence: Evidence;
}

/** The catalogue with what is installed in a cache folder. */
export const listWeights = (
  cache: string,
  npmPath: (name: string) => string | undefined,
): TaskEither<never, readonly Installed[]> =>
  TE.fromTask(() =>
    Promise.all(catalogue.map(async (entry): Promise<Installed> => {
      const { name, title, serves, licence, origin, npm, source, evidence } = entry;
      const sum = npm === undefined ? { sum: sumOf(entry) } : {};
      const about = { name, title, serves, licence, origin, evidence, ...sum };
      if (npm !== undefined) {
        const path = npmPath(name);
        return path === undefined
          ? { ...about, get: `deno install (${npm})` }
          : { ...about, path, metadata: { source: `npm ${npm}` } };
      }
      const path = installedPath(cache, name), header = await readSafetensorsHeader(path)();
      if (E.isRight(header)) return { ...about, path, metadata: header.right.metadata };
      return {
        ...about,
        get: source ? `deno task weights fetch ${name}` : `deno task weights convert FILE ${path}`,
      };
    }))
  );
