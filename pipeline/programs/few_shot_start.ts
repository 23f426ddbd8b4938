/**
 * What fine-tuning starts from (section 3.3), and what the paper's ablation puts in its place
 * (appendix A.2).
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import { personDiscriminator } from "../../models/discriminator.ts";
import { coefficientsName, personGenerator } from "../../models/few_shot.ts";
import { createLearner } from "../../models/optimiser.ts";
import { need, type Network } from "../../models/parameters.ts";
import { createRowTable } from "../../models/row_table.ts";
import type { HasBackend, HasRng } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { type Owned, upload } from "../core/owned.ts";
import type { Rng } from "../core/rng.ts";
import type { Stage } from "../core/stage.ts";
import type { FewShotState } from "./few_shot_step.ts";
import { type TrainedModel, uploadModel } from "./trained_model.ts";

/**
 * Where the person's own part of G′ and D′ comes from. "Shuffled" are the same numbers in a random
 * order: random, but neither larger nor smaller than what they stand for.
 */
export interface FewShotStart {
  /** ê_NEW, of which ψ′ and w′ are made. */
  readonly embedding: "embedder" | "shuffled";
  /** ψ′: P·ê_NEW. */
  readonly coefficients: "projection" | "shuffled";
  /** What w′ has beside w0: ê_NEW in the place of W_i, or a row as those of a new W are. */
  readonly row: "embedding" | "new";
}

/** The paper's way: everything from the embedder. */
export const paperStart: FewShotStart = {
  embedding: "embedder",
  coefficients: "projection",
  row: "embedding",
};

/** The columns of a row in a random order. // [1, n] → [1, n] */
const shuffled = (values: Tensor, rng: Rng): Tensor => {
  const count = values.shape[1] ?? 0;
  const order = rng.fold("order").draw().distinct(count, count);
  return tf.gather(values, tf.tensor1d([...order], "int32"), 1);
};

const withCoefficients = (network: Network, change: (coefficients: Tensor) => Tensor): Network => ({
  ...network,
  parameters: {
    ...network.parameters,
    [coefficientsName]: change(need(network.parameters, coefficientsName)),
  },
});

/**
 * G′ and D′ of a person before the first update; from {@link paperStart} they paint and score as
 * G and D do with ê_NEW. The caller owns them. Errors: those of the backend. // ê_NEW [N]
 */
export const startFewShot = (
  model: TrainedModel,
  start: FewShotStart = paperStart,
): Stage<
  HasBackend & HasRng,
  Err<"Backend" | "DeviceLost">,
  Float32Array,
  Owned<FewShotState>
> =>
(numbers) =>
(env) => {
  const width = numbers.length, rng = env.rng.fold("start of fine-tuning");
  return upload("a person's networks", (): FewShotState => {
    const device = uploadModel(model);
    const given = tf.tensor2d(numbers, [1, width]);
    const embedding = start.embedding === "embedder"
      ? given
      : shuffled(given, rng.fold("embedding"));
    const projected = personGenerator(device.generator, embedding);
    const own = start.coefficients === "projection"
      ? projected
      : withCoefficients(projected, (known) => shuffled(known, rng.fold("coefficients")));
    const row = start.row === "embedding"
      ? embedding
      : tf.tensor2d(createRowTable(1, width, rng).values, [1, width]);
    const generator = createLearner(own);
    return {
      step: 0,
      generator,
      discriminator: createLearner(personDiscriminator(device.discriminator, row)),
      average: Object.fromEntries(
        Object.entries(generator.network.parameters).map(([name, t]) => [name, tf.clone(t)]),
      ),
    };
  })(undefined)(env);
};
