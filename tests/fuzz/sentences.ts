/** What a refusal may look like. */

/** A longer sentence is no sentence. */
const longest = 1000;

/** What is wrong with sentences that are shown to people; undefined where nothing is. */
export const problemOf = (sentences: readonly string[]): string | undefined => {
  const bad = sentences.find((text) => text.trim() === "" || text.length > longest);
  if (bad !== undefined) return `no sentence, but ${bad.length} letters: ${bad.slice(0, 80)}`;
  const stack = sentences.find((text) => /\n\s+at |\bundefined\b|\[object /.test(text));
  return stack === undefined ? undefined : `no sentence for people: ${stack.slice(0, 200)}`;
};
