/**
 * What writers of source text share.
 *
 * @module
 */

/** 0 to n − 1. */
export const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** Lines of text as one. */
export const lines = (parts: readonly string[]): string => parts.join("\n");
