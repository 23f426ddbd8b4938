/** What the tests of the evaluation share. */
import { E } from "../../../../pipeline/core/fp.ts";
import type { Judges } from "../../../../pipeline/programs/evaluate/judges.ts";

/** Judges who see nothing: no face anywhere, one descriptor for everybody. */
export const blindJudges: Judges = {
  faces: {
    detect: () => () => Promise.resolve(E.right([])),
    close: () => Promise.resolve(),
  } as unknown as Judges["faces"],
  identity: {
    name: "face-api",
    describe: () => () => Promise.resolve(E.right(Float32Array.of(1, 0))),
    dispose: () => {},
  },
  close: () => Promise.resolve(),
};
