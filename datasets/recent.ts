/**
 * Values that were made lately, kept to be used again.
 *
 * @module
 */

/**
 * Makes a lookup that keeps the `limit` values used last: what is asked for again is not made
 * again. Below 1 nothing is kept.
 */
export const makeRecent = <K, V>(limit: number): (key: K, make: () => V) => V => {
  const kept = new Map<K, V>(); // in the order of last use
  return (key, make) => {
    const known = kept.get(key), value = known ?? make();
    kept.delete(key);
    kept.set(key, value);
    if (kept.size > limit) {
      for (const oldest of kept.keys()) {
        if (kept.size <= limit) break;
        kept.delete(oldest);
      }
    }
    return value;
  };
};
