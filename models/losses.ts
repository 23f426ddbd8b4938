/**
 * The objectives of sections 3.2 and 3.3. Every function takes tensors and gives a scalar tensor;
 * call them inside `backend.run`.
 *
 * @module
 */
import { type Tensor, tf } from "../backends/tf.ts";
import { meanAbsoluteDifference, relu } from "../backends/ops.ts";

/** The realism term −D(x̂) of L_ADV (equation 4), low where D takes x̂ for real. // [B] → [] */
export const adversarialLoss = (fakeScore: Tensor): Tensor => tf.neg(tf.mean(fakeScore));

/**
 * L_FM (equation 4): L1 between the discriminator's activations on the real and the
 * synthesised frame, mean over the residual blocks. The real side carries no gradient. // → []
 */
export const featureMatchingLoss = (
  fake: readonly Tensor[],
  real: readonly Tensor[],
): Tensor => {
  const terms = fake.map((activation, i) => {
    const other = real[i];
    if (!other) throw new Error(`Cannot match features: the real side has ${real.length} layers`);
    return meanAbsoluteDifference(activation, other);
  });
  return tf.div(sumOf(terms), terms.length);
};

/** L_MCH (section 3.2): mean |ê − W_i|, so that W_i may stand for an ê. // [B, N] twice → [] */
export const matchLoss = (embedding: Tensor, rows: Tensor): Tensor =>
  meanAbsoluteDifference(embedding, rows);

/** L_DSC: the hinge loss of the discriminator (equations 6 and 10). // [B] twice → [] */
export const hingeLoss = (fakeScore: Tensor, realScore: Tensor): Tensor =>
  tf.add(tf.mean(relu(tf.add(1, fakeScore))), tf.mean(relu(tf.sub(1, realScore))));

/** The sum of scalars, pairwise: an n-ary sum breaks on WebGPU's binding limit. // [] */
export const sumOf = (scalars: readonly Tensor[]): Tensor => {
  const [head, ...rest] = scalars;
  if (!head) throw new Error("Cannot add losses: there are none");
  return rest.reduce((sum, scalar) => tf.add(sum, scalar), head);
};
