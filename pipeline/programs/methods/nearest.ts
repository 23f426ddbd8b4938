/**
 * The answer to beat as a method: copy the source frame whose landmarks are nearest. It shows what
 * a method is when nothing is trained.
 *
 * @module
 */
import { RTE } from "../../core/fp.ts";
import { owned } from "../../core/owned.ts";
import { nearestFrame } from "../held_out.ts";
import type { LearntPerson, TalkingHeadMethod, TrainedMethod } from "../method.ts";

const copying: TrainedMethod = {
  fewShot: [{
    name: "copy",
    learn: (sources) =>
      RTE.right(owned<LearntPerson>({
        render: (frames) => RTE.right(frames.map((frame) => nearestFrame(sources, frame).image)),
      }, () => {})),
  }],
};

/** Copies the nearest of the T source frames. */
export const nearest: TalkingHeadMethod = {
  name: "nearest",
  about: "copies the source frame with the nearest landmarks; nothing is trained",
  load: () => RTE.right(owned(copying, () => {})),
};
