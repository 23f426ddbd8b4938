/**
 * A meta-training of one's own: a curriculum for a sampler, a heavier content loss and a stage
 * that logs, between the stages of `mod.ts`.
 *
 *     deno run --allow-read --allow-env --allow-sys examples/custom_pipeline.ts
 *
 * @module
 */
import * as hs from "../mod.ts";
const { E, F, TE } = hs;

const base = hs.presets["test-16"];
const content = [{ network: "pixels", taps: [], weight: 25 }] as const; // 10 in the preset
const preset = { ...base, training: { ...base.training, content } };

/** The curriculum: step 0 chooses among two sequences, every further step knows one more. */
const choose = (dataset: hs.Dataset): hs.Stage<hs.HasRng, never, number, hs.EpisodeRequest> =>
  hs.stage((step) => ({ rng }) => {
    const known = [...dataset.train.entries()].slice(0, 2 + step);
    const [row, sequence] = rng.fold("curriculum").fold(step).draw().pick(known);
    return TE.right({ dataset, row, sequence, step });
  });

/** The number of a step becomes its episodes: a batch of one. */
const draw = (dataset: hs.Dataset) =>
  F.pipe(
    hs.both(
      hs.identity<number>(),
      F.pipe(choose(dataset), hs.andThen(hs.sampleFrames({ shots: preset.training.shots }))),
    ),
    hs.map(([step, episode]) => ({ step, episodes: [episode] })),
  );

/** Reads the figures of a step, which are one tensor, and tells two of them. */
const log = (
  tell: (line: string) => void,
): hs.Stage<
  hs.HasBackend,
  hs.Err<"Backend" | "DeviceLost">,
  hs.Owned<hs.StepReport>,
  hs.Figures
> =>
(report) =>
({ backend }) =>
async () => {
  using done = report;
  const { step, names, values } = done.value;
  const read = await backend.read("figures", () => values.data<"float32">())();
  if (E.isLeft(read)) return read;
  const figures = Object.fromEntries(names.map((name, i) => [name, read.right[i] ?? NaN]));
  tell(`step ${step}: content ${figures["content/pixels"]}, D ${figures.discriminator}`);
  return E.right(figures);
};

/** Trains for some steps; the figures of each. What it needs and how it fails is inferred. */
export const train = (dataset: hs.Dataset, steps: number, tell: (line: string) => void) =>
  hs.bracket(
    () => hs.createTrainState(preset, dataset.train.length),
    (state: hs.Owned<hs.TrainState>) =>
      hs.bracket(
        () => hs.loadContentNetworks(content),
        (networks) =>
          F.pipe(
            hs.fromIterable(Array(steps).keys()),
            hs.through(draw(dataset)),
            hs.through(hs.landmarkMaps),
            hs.through(hs.toDevice()),
            hs.through(hs.adversarialStep(preset, networks.value, state)),
            hs.through(log(tell)),
            hs.runCollect,
          ),
        (networks) => networks[Symbol.dispose](),
      )(undefined),
    (state) => state[Symbol.dispose](),
  )(undefined);

if (import.meta.main) {
  const heads = hs.syntheticHeads({ size: 16, identities: 12, heldOut: 2 });
  const print = (line: string) => void Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  const backend = await hs.selectBackend("auto")();
  if (E.isLeft(backend)) throw new Error(hs.renderError(backend.left));
  const result = await train(heads, 10, print)(hs.makeEnv({ backend: backend.right, seed: 1 }))();
  await backend.right.close();
  if (E.isLeft(result)) throw new Error(hs.renderError(result.left));
}
