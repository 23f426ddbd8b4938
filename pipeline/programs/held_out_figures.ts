/**
 * How good synthesised frames of unseen people are, beside answers that need no generator.
 *
 * @module
 */
import type { FaceAnalyzer } from "../../backends/face.ts";
import { measureFollowing } from "../metrics/following.ts";
import { meanAbsoluteError } from "../metrics/pixels.ts";
import { ssim } from "../metrics/ssim.ts";
import type { HasRng } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, type Either } from "../core/fp.ts";
import type { Frame, Image } from "../core/image.ts";
import type { Stage } from "../core/stage.ts";
import { type HeldOut, nearestFrame } from "./held_out.ts";
import type { Reenactment } from "./self_reenactment.ts";

/** One way to answer "what does this person look like with these landmarks?". */
export type Answer =
  | "output"
  | "other person's embedding"
  | "mean training frame"
  | "random source frame"
  | "nearest source frame";

/** Figures of one way to answer, means over all frames. */
export interface AnswerFigures {
  /** Mean absolute error, images in [-1, 1]. */
  readonly l1: number;
  /** Structural similarity, 1 for equal pictures. */
  readonly ssim: number;
  /** In eye distances; a face that is not found counts as 1. */
  readonly landmarkError: number;
  /** The share of frames in which no face was found. */
  readonly undetected: number;
}

/** Figures of all answers. */
export type HeldOutFigures = Readonly<Record<Answer, AnswerFigures>>;

const measure = async (
  faces: FaceAnalyzer,
  pairs: readonly (readonly [Image, Frame])[],
): Promise<Either<Err<"Backend">, AnswerFigures>> => {
  let l1 = 0, similarity = 0, landmarks = 0, undetected = 0;
  for (const [image, target] of pairs) {
    l1 += meanAbsoluteError(image, target.image);
    similarity += ssim(image, target.image);
    const following = await measureFollowing(faces, image, target.landmarks)();
    if (E.isLeft(following)) return following;
    landmarks += following.right.landmarkError;
    undetected += following.right.undetected;
  }
  const n = pairs.length;
  return E.right({
    l1: l1 / n,
    ssim: similarity / n,
    landmarkError: landmarks / n,
    undetected: undetected / n,
  });
};

/**
 * Measures the outputs of every trial (section 4) and the trivial answers to the same questions.
 * `Backend` where the face networks fail.
 */
export const measureHeldOut = (
  faces: FaceAnalyzer,
  { mean }: HeldOut,
): Stage<HasRng, Err<"Backend">, readonly Reenactment[], HeldOutFigures> =>
(reenactments) =>
({ rng }) =>
async () => {
  const draw = rng.fold("random source").draw();
  const answer = (
    give: (reenactment: Reenactment, target: Frame, i: number) => Image | undefined,
  ) =>
    measure(
      faces,
      reenactments.flatMap((reenactment) =>
        reenactment.trial.targets.flatMap((target, i) => {
          const image = give(reenactment, target, i);
          return image ? [[image, target] as const] : [];
        })
      ),
    );
  const answers: Readonly<Record<Answer, Parameters<typeof answer>[0]>> = {
    "output": ({ outputs }, _, i) => outputs[i],
    "other person's embedding": ({ withOther }, _, i) => withOther[i],
    "mean training frame": () => mean,
    "random source frame": ({ trial }) => draw.pick(trial.sources).image,
    "nearest source frame": ({ trial }, target) => nearestFrame(trial.sources, target).image,
  };
  const figures: Partial<Record<Answer, AnswerFigures>> = {};
  for (const [name, give] of Object.entries(answers)) {
    const measured = await answer(give);
    if (E.isLeft(measured)) return measured;
    figures[name as Answer] = measured.right;
  }
  return E.right(figures as HeldOutFigures);
};

/** How much the L1 grows with another person's embedding: 0.2 means 20 %; 0 is a dead embedding. */
export const shuffledGap = (reenactments: readonly Reenactment[]): {
  readonly l1: number;
  readonly gap: number;
} => {
  let own = 0, other = 0, n = 0;
  for (const { trial, outputs, withOther } of reenactments) {
    trial.targets.forEach(({ image }, i) => {
      const mine = outputs[i], theirs = withOther[i];
      if (!mine || !theirs) return;
      own += meanAbsoluteError(mine, image);
      other += meanAbsoluteError(theirs, image);
      n++;
    });
  }
  return { l1: own / n, gap: other / own - 1 };
};
