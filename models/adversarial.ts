/**
 * One step of the adversarial game of section 3.2 as tensor maths: gradients and updates of the
 * embedder and the generator, then of the discriminator. Call inside `backend.run`.
 *
 * @module
 */
import { type Tensor, type Tensor2D, tf } from "../backends/tf.ts";
import { surviving } from "../backends/scope.ts";
import type { Architecture } from "./architecture.ts";
import { discriminate, type Judgement } from "./discriminator.ts";
import { averageEmbeddings, embed, type Pooling } from "./embedder.ts";
import { type AdaptiveGain, generate } from "./generator.ts";
import { adversarialLoss, featureMatchingLoss, hingeLoss, matchLoss, sumOf } from "./losses.ts";
import { differentiate } from "./optimiser.ts";
import { effectiveWeights, type Network, type Tensors, type Weights } from "./parameters.ts";

/** What a step sees: B sequences with K source frames and one target each. */
export interface Batch {
  /** Frames to embed. // [B·K, S, S, 3] */
  readonly sources: Tensor;
  /** Their landmark images. // [B·K, S, S, 3] */
  readonly sourceLandmarks: Tensor;
  /** Real frames to be synthesised. // [B, S, S, 3] */
  readonly target: Tensor;
  /** Their landmark images. // [B, S, S, 3] */
  readonly targetLandmarks: Tensor;
  /** Which of the drawn rows of W belongs to each sample, one-hot. // [B, U] */
  readonly selector: Tensor;
}

/** Loss terms of the images, given the activations of the real ones: see `content_loss.ts`. */
export type ContentTerms = (fake: Tensor) => Readonly<Record<string, Tensor>>;

/** Weights of the terms other than content (equations 3 and 4). */
export interface TermWeights {
  /** Of −D(x̂). */
  readonly adversarial: number;
  /** Of L_FM; 10 in the paper. */
  readonly featureMatching: number;
  /** Of L_MCH; 80 in the paper. */
  readonly match: number;
  /** Whether W_i is drawn towards ê too (in the discriminator's step). */
  readonly matchRows: boolean;
}

/** What the networks are and how they are read. */
export interface Model {
  /** Sizes of the networks. */
  readonly architecture: Architecture;
  /** How E and V pool. */
  readonly pooling: Pooling;
  /** How AdaIN reads its gain. */
  readonly gain: AdaptiveGain;
}

/** Gradients of one side of the game with named scalars of the losses. */
export interface SideGradients {
  /** What was differentiated. // [] */
  readonly loss: Tensor;
  /** By parameter name. */
  readonly gradients: Tensors;
  /** Parts of the loss before their weights. // [] */
  readonly terms: Readonly<Record<string, Tensor>>;
}

/** D as one side of the game sees it: frames to scores and activations. */
type Score = (frames: Tensor) => Judgement;

/** What an objective is told of besides the sum: its terms by name, before their weights. */
export type Note = (name: string, term: Tensor) => void;

/**
 * Content, −D(x̂) and L_FM of fakes of `target`: the part of the objective that meta-learning
 * (equations 3 and 4) and fine-tuning (equation 9) share. Call it outside the function that is
 * differentiated, so that the real side has no tape; what it gives, inside: weighted terms. // []
 */
export const imageObjective = (
  score: Score,
  target: Tensor,
  content: ContentTerms,
  weights: Pick<TermWeights, "adversarial" | "featureMatching">,
): (fake: Tensor, note: Note) => readonly Tensor[] => {
  const needsJudge = weights.adversarial !== 0 || weights.featureMatching !== 0;
  const real = needsJudge ? score(target).features : [];
  return (fake, note) => {
    const weighted = Object.entries(content(fake)).map(([name, term]) => {
      note(`content/${name}`, term);
      return term;
    });
    if (!needsJudge) return weighted;
    const judged = score(fake);
    const terms = [
      ["adversarial", adversarialLoss(judged.score), weights.adversarial],
      ["featureMatching", featureMatchingLoss(judged.features, real), weights.featureMatching],
    ] as const;
    for (const [name, term, weight] of terms) {
      note(name, term);
      if (weight !== 0) weighted.push(tf.mul(term, weight));
    }
    return weighted;
  };
};

/**
 * The hinge loss of D on fakes and real frames, judged as one batch of twice as many (equations 6
 * and 10). Call it inside the function that is differentiated. // → []
 */
export const hingeObjective = (judged: Judgement, note: Note): Tensor => {
  const [fakeScore, realScore] = tf.split(judged.score, 2) as [Tensor, Tensor];
  const hinge = hingeLoss(fakeScore, realScore);
  note("discriminator", hinge);
  note("fakeScore", tf.mean(fakeScore));
  note("realScore", tf.mean(realScore));
  return hinge;
};

const selectRows = (selector: Tensor, rows: Tensor): Tensor =>
  tf.matMul(selector as Tensor2D, rows as Tensor2D);

/** What the embedder and the generator made of a batch, beside their gradients. */
export interface GeneratorSide extends SideGradients {
  /** x̂, without a tape. // [B, S, S, 3] */
  readonly fake: Tensor;
  /** ê, without a tape. // [B, N] */
  readonly embedding: Tensor;
}

/**
 * L(φ, ψ, P) = content + adversarial + feature matching + match (equations 3 and 4), with gradients
 * to `E/`, `G/` and `P/` only: the discriminator is constant here.
 */
export const generatorGradients = (
  { architecture, pooling, gain }: Model,
  generator: Network,
  judge: Weights,
  batch: Batch,
  rows: Tensor, // [U, N]
  content: ContentTerms,
  weights: TermWeights,
): GeneratorSide =>
  surviving((survive) => {
    const own = selectRows(batch.selector, rows);
    const objective = imageObjective(
      (frames) => discriminate(judge, architecture, frames, batch.targetLandmarks, own, pooling),
      batch.target,
      content,
      weights,
    );
    const shots = (batch.sources.shape[0] ?? 1) / (batch.target.shape[0] ?? 1);
    const terms: Record<string, Tensor> = {};
    const note: Note = (name, term) => void (terms[name] = survive(term));
    let fake = batch.target, embedding = rows;
    const { loss, gradients } = differentiate(() => {
      const look = effectiveWeights(generator);
      embedding = survive(averageEmbeddings(
        embed(look, architecture, batch.sources, batch.sourceLandmarks, pooling),
        shots,
      ));
      fake = survive(generate(look, architecture, batch.targetLandmarks, embedding, gain));
      const weighted = [...objective(fake, note)];
      const match = matchLoss(embedding, own);
      note("match", match);
      if (weights.match !== 0) weighted.push(tf.mul(match, weights.match));
      return sumOf(weighted).asScalar();
    }, generator.parameters);
    return { loss, gradients, terms, fake, embedding };
  });

/** The name under which the gradient to the drawn rows of W stands among the others. */
export const rowsName = "D/W";

/**
 * L_DSC (equation 6) with gradients to `D/` and to the drawn rows of W (as `D/W`): the fake is
 * constant here.
 */
export const discriminatorGradients = (
  { architecture, pooling }: Model,
  discriminator: Network,
  batch: Batch,
  rows: Tensor, // [U, N]
  { fake, embedding }: { readonly fake: Tensor; readonly embedding: Tensor },
  weights: TermWeights,
): SideGradients =>
  surviving((survive) => {
    const frames = tf.concat([fake, batch.target], 0);
    const landmarks = tf.concat([batch.targetLandmarks, batch.targetLandmarks], 0);
    const selector = tf.concat([batch.selector, batch.selector], 0);
    const terms: Record<string, Tensor> = {};
    const note: Note = (name, term) => void (terms[name] = survive(term));
    const { loss, gradients } = differentiate(() => {
      const judged = discriminate(
        effectiveWeights(discriminator),
        architecture,
        frames,
        landmarks,
        selectRows(selector, rows),
        pooling,
      );
      const hinge = hingeObjective(judged, note);
      if (!weights.matchRows || weights.match === 0) return hinge.asScalar();
      const drawn = matchLoss(embedding, selectRows(batch.selector, rows));
      return tf.add(hinge, tf.mul(drawn, weights.match)).asScalar();
    }, { ...discriminator.parameters, [rowsName]: rows });
    return { loss, gradients, terms };
  });
