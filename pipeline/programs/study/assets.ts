/**
 * The files of the study's page, as they are in this folder: nothing is built.
 *
 * @module
 */

/** A file as it is sent. */
export interface Asset {
  /** Its media type. */
  readonly type: string;
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The page and what it loads, by path. */
export type Assets = ReadonlyMap<string, Asset>;

const files: readonly (readonly [path: string, file: string, type: string])[] = [
  ["/", "page/index.html", "text/html; charset=utf-8"],
  ["/study.css", "page/study.css", "text/css; charset=utf-8"],
  ["/study.js", "page/study.js", "text/javascript; charset=utf-8"],
  ["/icon.svg", "page/icon.svg", "image/svg+xml"],
];

/** Reads them from beside this module, which may have been imported from a URL. */
export const loadAssets = async (): Promise<Assets> =>
  new Map(
    await Promise.all(files.map(async ([path, file, type]) => {
      const response = await fetch(new URL(file, import.meta.url));
      return [path, { type, bytes: new Uint8Array(await response.arrayBuffer()) }] as const;
    })),
  );
