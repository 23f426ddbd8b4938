/** A source of numbers that tells what is asked of it, for tests of streams. */
import { E } from "../../../pipeline/core/fp.ts";
import type { Flow } from "../../../pipeline/core/flow.ts";
/** Needs of a run that is not stopped. */
export const calm = { signal: new AbortController().signal };

/** A source that tells what is asked of it; elements from 0 on. */
export const watched = (end = Infinity) => {
  const seen = { pulled: 0, closed: 0 };
  const flow: Flow<unknown, never, number> = async function* () {
    try {
      for (let i = 0; i < end; i++) {
        seen.pulled++;
        await Promise.resolve();
        yield E.right(i);
      }
    } finally {
      seen.closed++;
    }
  };
  return { flow, seen };
};
