/**
 * The game of pix2pixHD as tensor maths: LSGAN, feature matching and content for the generator,
 * LSGAN for the discriminators. Call inside `backend.run`.
 *
 * @module
 */
import { surviving } from "../../backends/scope.ts";
import { type Tensor, tf } from "../../backends/tf.ts";
import type { ContentTerms, SideGradients, TermWeights } from "../adversarial.ts";
import { sumOf } from "../losses.ts";
import { differentiate } from "../optimiser.ts";
import { plainWeights, type Tensors } from "../parameters.ts";
import {
  judgePatches,
  leastSquares,
  matchPatches,
  paint,
  type Pix2pixHDArchitecture,
} from "./pix2pixhd.ts";

/** Real frames in [-1, 1] and their landmark images. // [B, S, S, 3] both */
export interface PaintBatch {
  readonly frames: Tensor;
  readonly landmarks: Tensor;
}

/** What the generator made of a batch, beside its gradients. */
export interface PaintSide extends SideGradients {
  /** Its frames, without a tape. // [B, S, S, 3] */
  readonly fake: Tensor;
}

/** Gradients of the generator; the discriminators are constant here. */
export const paintGradients = (
  sizes: Pix2pixHDArchitecture,
  generator: Tensors,
  judges: Tensors,
  { frames, landmarks }: PaintBatch,
  content: ContentTerms,
  weights: Pick<TermWeights, "adversarial" | "featureMatching">,
): PaintSide =>
  surviving((survive) => {
    const judge = (seen: Tensor) => judgePatches(plainWeights(judges), sizes, seen, landmarks);
    const real = judge(frames), terms: Record<string, Tensor> = {};
    let fake = frames;
    const { loss, gradients } = differentiate(() => {
      fake = survive(paint(plainWeights(generator), sizes, landmarks));
      const judged = judge(fake);
      const all = [
        ...Object.entries(content(fake)).map(([name, term]) =>
          [`content/${name}`, term, 1] as const
        ),
        ["adversarial", leastSquares(judged, 1), weights.adversarial] as const,
        ["featureMatching", matchPatches(judged, real), weights.featureMatching] as const,
      ];
      for (const [name, term] of all) terms[name] = survive(term);
      return sumOf(all.map(([, term, weight]) => tf.mul(term, weight))).asScalar();
    }, generator);
    return { loss, gradients, terms, fake };
  });

/** Gradients of the discriminators; the fake is constant here. */
export const judgeGradients = (
  sizes: Pix2pixHDArchitecture,
  judges: Tensors,
  { frames, landmarks }: PaintBatch,
  fake: Tensor,
): SideGradients =>
  surviving((survive) => {
    const terms: Record<string, Tensor> = {};
    const { loss, gradients } = differentiate(() => {
      const judge = (seen: Tensor) => judgePatches(plainWeights(judges), sizes, seen, landmarks);
      const loss = tf.mul(
        tf.add(leastSquares(judge(fake), 0), leastSquares(judge(frames), 1)),
        0.5,
      );
      terms.leastSquares = survive(loss);
      return loss.asScalar();
    }, judges);
    return { loss, gradients, terms };
  });
