/**
 * Finding the word that somebody probably meant.
 *
 * @module
 */

/** Edits between two words: insertions, deletions, substitutions, swaps of neighbours. */
export const editDistance = (a: string, b: string): number => {
  let before: readonly number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(
        (above[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (above[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
};

/**
 * The word of `words` that is closest to `word`, ignoring case, dashes and underscores; `undefined`
 * where none is close enough to be a slip (more than a third of its letters differ).
 */
export const nearest = (word: string, words: Iterable<string>): string | undefined => {
  const plain = (text: string): string => text.slice(0, 64).toLowerCase().replace(/[-_ ]/g, "");
  let found: string | undefined;
  let least = Infinity;
  for (const candidate of words) {
    const distance = editDistance(plain(word), plain(candidate));
    if (distance < least && distance <= Math.max(1, Math.floor(candidate.length / 3))) {
      least = distance;
      found = candidate;
    }
  }
  return found;
};
