/**
 * How well a number tells two kinds apart.
 *
 * @module
 */

/**
 * The area under the ROC curve: the chance that a value of the first list is above one of the
 * second; equal ones count half. NaN where a list is empty.
 */
export const areaUnderCurve = (above: readonly number[], below: readonly number[]): number => {
  const sorted = below.toSorted((a, b) => a - b);
  /** How many come before the first one that is at least (or is above) the value. */
  const before = (value: number, orEqual: boolean): number => {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1, other = sorted[middle] ?? 0;
      if (other < value || (orEqual && other === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const wins = above.reduce(
    (sum, value) => sum + (before(value, false) + before(value, true)) / 2,
    0,
  );
  return wins / (above.length * sorted.length);
};
