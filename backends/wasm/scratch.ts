/**
 * Cuts the pool's working memory into parts.
 *
 * @module
 */
import type { Pool } from "./pool.ts";

const line = 64;

/** The next multiple of `step`. */
export const up = (n: number, step: number): number => Math.ceil(n / step) * step;

/** Runs `f` with the addresses of parts of so many bytes, each on cache lines of its own. */
export const withParts = (
  pool: Pool,
  sizes: readonly number[],
  f: (...at: number[]) => void,
): void => {
  let bytes = 0;
  const offsets = sizes.map((size) => {
    const at = bytes;
    bytes += up(size, line) + line;
    return at;
  });
  const base = pool.scratch(bytes);
  f(...offsets.map((offset) => base + offset));
};
