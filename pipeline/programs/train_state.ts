/**
 * Everything that training changes, as one value with one owner: what a checkpoint holds and what
 * `adversarialStep` updates in place.
 *
 * @module
 */
import { type Tensor, tf } from "../../backends/tf.ts";
import type { Preset } from "../../models/presets.ts";
import { createDiscriminator } from "../../models/discriminator.ts";
import { createEmbedder } from "../../models/embedder.ts";
import { createGenerator } from "../../models/generator.ts";
import { createLearner, type Learner, paperAdam } from "../../models/optimiser.ts";
import {
  foldSpectralNorm,
  iterateSpectral,
  type Network,
  type Tensors,
  warmUpIterations,
} from "../../models/parameters.ts";
import { createRowTable, type RowTable, storeRows } from "../../models/row_table.ts";
import type { HasBackend, HasRng } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE, TE } from "../core/fp.ts";
import { mutate, type Owned, owned, upload } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";

/** Rows of W that a step has updated and that are still on the device. */
export interface PendingRows {
  /** Which rows. */
  readonly rows: readonly number[];
  /** Their numbers. // [U, N] */
  readonly values: Tensor;
  /** Their second moments. // [U, N] */
  readonly second: Tensor;
  /** The update of the discriminator after which they are as they are. */
  readonly update: number;
}

/** The state of meta-learning after `step` steps. */
export interface TrainState {
  /** Steps done. */
  readonly step: number;
  /** E, G and P: minimised together. */
  readonly generator: Learner;
  /** D without W. */
  readonly discriminator: Learner;
  /** The moving average of E, G and P: what is evaluated. */
  readonly average: Tensors;
  /** W in host memory; see `row_table.ts`. */
  readonly table: RowTable;
  /** Rows of W that are newer than `table`. */
  readonly pending: readonly PendingRows[];
}

const joined = (a: Network, b: Network): Network => ({
  parameters: { ...a.parameters, ...b.parameters },
  spectral: { ...a.spectral, ...b.spectral },
});

/**
 * A new state, owned by the caller: networks from the seed, one row of W for each training
 * sequence. Errors: those of the backend.
 */
export const createTrainState = (
  { architecture }: Preset,
  sequences: number,
): ReaderTaskEither<
  HasBackend & HasRng,
  Err<"Backend" | "DeviceLost">,
  Owned<TrainState>
> =>
({ backend, rng }) =>
  TE.map((state: TrainState) => owned(state, backend.dispose))(
    backend.run("new networks", () => {
      const start = rng.fold("parameters");
      const generator = createLearner(
        joined(createEmbedder(architecture, start), createGenerator(architecture, start)),
      );
      const average = Object.fromEntries(
        Object.entries(generator.network.parameters).map(([name, tensor]) => [
          name,
          tf.clone(tensor),
        ]),
      );
      return {
        step: 0,
        generator,
        discriminator: createLearner(createDiscriminator(architecture, start)),
        average,
        table: createRowTable(sequences, architecture.embedding, start),
        pending: [],
      };
    }),
  );

/**
 * The averaged E, G and P as they are evaluated: u is refreshed by 15 power iterations, because
 * that of the live weights does not fit the average, and folded into the kernels.
 */
export const averagedWeights: Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  Owned<TrainState>,
  Owned<Tensors>
> = upload("averaged weights", ({ value: state }: Owned<TrainState>) => {
  const network = { parameters: state.average, spectral: state.generator.network.spectral };
  return foldSpectralNorm({ ...network, spectral: iterateSpectral(network, warmUpIterations) });
});

/** Brings every row of W that is still on the device home. */
export const settleRows: Stage<
  HasBackend,
  Err<"Backend" | "DeviceLost">,
  Owned<TrainState>,
  void
> = (state) => ({ backend }) => async () => {
  const { pending, table } = state.value;
  if (pending.length === 0) return E.right(undefined);
  const read = await backend.read("rows of W", () =>
    Promise.all(
      pending.map(async ({ values, second }) =>
        [
          await values.data<"float32">(),
          await second.data<"float32">(),
        ] as const
      ),
    ))();
  if (E.isLeft(read)) return read;
  pending.forEach(({ rows, update }, i) => {
    const [values, second] = read.right[i] ?? [];
    if (values && second) storeRows(table, { rows, values, second }, update);
  });
  return await F.pipe(
    state,
    mutate("rows of W", (now: TrainState): readonly [TrainState, undefined] => [
      { ...now, pending: [] },
      undefined,
    ]),
    RTE.map(() => undefined),
  )({ backend })();
};

/** β2 of the lazy Adam on W: the same as everywhere. */
export const rowBeta2 = paperAdam.beta2;
