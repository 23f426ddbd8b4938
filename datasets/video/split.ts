/**
 * Which people are kept for evaluation.
 *
 * @module
 */

/** A number in [0, 1) that depends on the name alone. */
const place = async (name: string): Promise<number> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return new DataView(digest).getUint32(0) / 2 ** 32;
};

/**
 * Chooses the held-out identities by a hash of their names: who is in does not depend on who else
 * is there, so a folder may grow. Where the hash would leave one side empty, the first or the last
 * name by hash moves over; one person alone is trained on. A share of 0 holds out nobody.
 */
export const splitIdentities = async (
  names: readonly string[],
  share: number,
): Promise<ReadonlySet<string>> => {
  const placed = await Promise.all(
    [...new Set(names)].map(async (name) => ({ name, at: await place(name) })),
  );
  const ordered = placed.sort((a, b) => a.at - b.at);
  const wanted = ordered.filter(({ at }) => at < share).length;
  const count = share <= 0 ? 0 : Math.min(ordered.length - 1, Math.max(1, wanted));
  return new Set(ordered.slice(0, count).map(({ name }) => name));
};
