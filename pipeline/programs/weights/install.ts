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
  type Source,
  sourcesOf,
  sumOf,
} from "../../../models/weights/catalogue.ts";
import {
  type Converted,
  type ConvertOptions,
  convertTensors,
} from "../../../models/weights/convert.ts";
import { readAllWeights } from "../../../models/weights/read_all.ts";
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
 * Reads weights of any known format, recognises their network and writes it as safetensors; a
 * network that is published in several files is made of all of them. `BadFile` where they cannot be
 * read or are no network that is known, `Checkpoint` where it cannot be written.
 */
export const convertFiles = (
  inputs: readonly string[],
  output: string,
  options: ConvertFileOptions = {},
): TaskEither<Err<"BadFile" | "Checkpoint">, Conversion> =>
async () => {
  const read = await readAllWeights(inputs)();
  if (E.isLeft(read)) return read;
  const converted = convertTensors(read.right, options);
  if (E.isLeft(converted)) return E.left(weightsRefusal(inputs.join(" and "), converted.left));
  const { network, dialect, tensors, unused, notes }: Converted = converted.right;
  const metadata = {
    source: options.source ?? inputs.map(nameOf).join(", "),
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

const wantedOf = (
  entry: CatalogueEntry,
  { url, sha256 }: FetchOptions,
): Either<Err<"Config">, readonly Source[]> => {
  const { name, source, also, npm, origin } = entry;
  const bad = (problem: string) =>
    E.left<Err<"Config">>({ _tag: "Config", problems: [`Cannot fetch ${name}: ${problem}`] });
  if (npm !== undefined) return bad(`npm brings it with ${npm}, expected nothing to do`);
  if (also !== undefined && (url ?? sha256) !== undefined) {
    return bad(
      "it is made of two files, expected no --url and no --sha256, or deno task weights convert " +
        `TRUNK LAYERS ${installedPath("CACHE", name)}`,
    );
  }
  if (url !== undefined) {
    return /^[0-9a-fA-F]{64}$/.test(sha256 ?? "")
      ? E.right([{ url, sha256: (sha256 ?? "").toLowerCase() }])
      : bad(`the file at ${url} has no known sum, expected --sha256 with 64 hexadecimal digits`);
  }
  return source
    ? E.right(
      sourcesOf(entry).map((each) => ({ ...each, sha256: sha256?.toLowerCase() ?? each.sha256 })),
    )
    : bad(
      `no file with a known sum is published (${origin}), expected --url URL --sha256 HEX, or ` +
        `deno task weights convert FILE ${installedPath("CACHE", name)}`,
    );
};

/** A file that was fetched, with its whole sum. */
interface Fetched {
  readonly path: string;
  readonly source: Source;
  readonly sha256: string;
}

const fetchAll = async (
  name: string,
  sources: readonly Source[],
  { cache, retries, silence, progress, signal }: FetchOptions,
): Promise<Either<Err<"BadFile" | "Checkpoint" | "Aborted">, readonly Fetched[]>> => {
  const fetched: Fetched[] = [];
  for (const source of sources) {
    const path = `${cache}/${name}.download${fetched.length === 0 ? "" : fetched.length + 1}`;
    const downloaded = await downloadFile({
      ...{ ...source, path, signal },
      ...(retries === undefined ? {} : { retries }),
      ...(silence === undefined ? {} : { silence }),
      ...(progress === undefined ? {} : { progress }),
    })();
    if (E.isLeft(downloaded)) return downloaded;
    fetched.push({ path, source, sha256: downloaded.right });
  }
  return E.right(fetched);
};

/**
 * Fetches weights of the catalogue and converts them; what is installed already is left alone. The
 * downloaded files are removed after their conversion.
 */
export const fetchWeights = (
  entry: CatalogueEntry,
  options: FetchOptions,
): TaskEither<Err<"Config" | "BadFile" | "Checkpoint" | "Aborted">, Conversion | string> =>
async () => {
  const wanted = wantedOf(entry, options);
  if (E.isLeft(wanted)) return wanted;
  const sums = wanted.right.map(({ sha256 }) => sha256).join();
  const path = installedPath(options.cache, entry.name);
  const there = await readSafetensorsHeader(path)();
  if (E.isRight(there) && there.right.metadata["sourceSha256"]?.startsWith(sums)) {
    return E.right(path);
  }
  try {
    await Deno.mkdir(options.cache, { recursive: true });
  } catch (cause) {
    return E.left(weightsRefusal(options.cache, fileProblem(cause)));
  }
  const fetched = await fetchAll(entry.name, wanted.right, options);
  if (E.isLeft(fetched)) return fetched;
  const paths = fetched.right.map((each) => each.path), { licence } = entry;
  const source = wanted.right.map(({ url }) => url).join(", ");
  const converted = await convertFiles(paths, path, { ...entry.options, licence, source })();
  if (E.isLeft(converted)) return converted;
  for (const each of paths) await Deno.remove(each);
  const notes = fetched.right.filter((each) => each.source.sha256.length < 64).map((each) =>
    `Only ${each.source.sha256.length} of the 64 digits of its SHA-256 were known and compared; ` +
    `this file's is ${each.sha256}: compare it with a source that you trust`
  );
  return E.right({ ...converted.right, notes: [...converted.right.notes, ...notes] });
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
