/**
 * Fine-tuning as tensor maths (section 3.3): G′ with the person's own coefficients ψ′, D′ with
 * the person's own w′, and the gradients of the simplified objectives. Call inside `backend.run`.
 *
 * @module
 */
import { type Tensor, tf } from "../backends/tf.ts";
import { surviving } from "../backends/scope.ts";
import {
  type ContentTerms,
  hingeObjective,
  imageObjective,
  type Model,
  type Note,
  type SideGradients,
  type TermWeights,
} from "./adversarial.ts";
import { discriminatePerson } from "./discriminator.ts";
import { generateWith, projectEmbedding } from "./generator.ts";
import { sumOf } from "./losses.ts";
import { differentiate } from "./optimiser.ts";
import { effectiveWeights, type Network, type Weights } from "./parameters.ts";

/** Frames of one person and the images of their landmarks. */
export interface PersonBatch {
  /** Real frames x(t). // [B, S, S, 3] */
  readonly frames: Tensor;
  /** Their landmark images y(t). // [B, S, S, 3] */
  readonly landmarks: Tensor;
}

/** The name of ψ′ among the parameters of G′. // [1, coefficients] */
export const coefficientsName = "person/coefficients";

/**
 * G′ of a person from G and P: ψ′ = P·ê_NEW becomes a parameter beside ψ, P is left out and stays
 * as it is (section 3.3). ψ are the tensors of `network` themselves. // ê [1, N]
 */
export const personGenerator = (network: Network, embedding: Tensor): Network => {
  const ofGenerator = (name: string): boolean => name.startsWith("G/");
  const keep = (tensors: Network["parameters"]): Network["parameters"] =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => ofGenerator(name)));
  return {
    parameters: {
      ...keep(network.parameters),
      [coefficientsName]: projectEmbedding(effectiveWeights(network), embedding),
    },
    spectral: keep(network.spectral),
  };
};

/** x̂ = G′(y; ψ, ψ′), in [-1, 1] (section 3.3). // [B, S, S, 3] → the same */
export const generatePerson = (
  weights: Weights,
  { architecture, gain }: Model,
  landmarks: Tensor,
): Tensor => generateWith(weights, architecture, landmarks, weights(coefficientsName), gain);

/** What weighs in the simplified objective beside content. */
export type PersonTermWeights = Pick<TermWeights, "adversarial" | "featureMatching">;

/** L′(ψ, ψ′) (equation 9) with gradients to all of G′, and the fake. D′ is constant here. */
export const personGeneratorGradients = (
  model: Model,
  generator: Network,
  judge: Weights,
  batch: PersonBatch,
  content: ContentTerms,
  weights: PersonTermWeights,
): SideGradients & { readonly fake: Tensor } =>
  surviving((survive) => {
    const { architecture, pooling } = model;
    const objective = imageObjective(
      (frames) => discriminatePerson(judge, architecture, frames, batch.landmarks, pooling),
      batch.frames,
      content,
      weights,
    );
    const terms: Record<string, Tensor> = {};
    const note: Note = (name, term) => void (terms[name] = survive(term));
    let fake = batch.frames;
    const { loss, gradients } = differentiate(() => {
      fake = survive(generatePerson(effectiveWeights(generator), model, batch.landmarks));
      return sumOf(objective(fake, note)).asScalar();
    }, generator.parameters);
    return { loss, gradients, terms, fake };
  });

/** L′_DSC (equation 10) with gradients to all of D′, w′ among them. The fake is constant here. */
export const personDiscriminatorGradients = (
  { architecture, pooling }: Model,
  discriminator: Network,
  batch: PersonBatch,
  fake: Tensor,
): SideGradients =>
  surviving((survive) => {
    const frames = tf.concat([fake, batch.frames], 0);
    const landmarks = tf.concat([batch.landmarks, batch.landmarks], 0);
    const terms: Record<string, Tensor> = {};
    const note: Note = (name, term) => void (terms[name] = survive(term));
    const { loss, gradients } = differentiate(() => {
      const look = effectiveWeights(discriminator);
      const judged = discriminatePerson(look, architecture, frames, landmarks, pooling);
      return hingeObjective(judged, note).asScalar();
    }, discriminator.parameters);
    return { loss, gradients, terms };
  });
