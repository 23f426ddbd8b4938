/**
 * Fine-tuning as a program (section 3.3): an embedded person and the frames that they were
 * embedded from → the person with networks of their own.
 *
 * @module
 */
import type { ContentEntry, ContentNetworks } from "../../models/content_loss.ts";
import { loadContentNetworks } from "../../models/content_loss.ts";
import { coefficientsName } from "../../models/few_shot.ts";
import { type FineTuning, fineTunings } from "../../models/fine_tuning.ts";
import type { Env } from "../core/env.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Frame } from "../core/image.ts";
import type { Owned } from "../core/owned.ts";
import { bracket, type Stage } from "../core/stage.ts";
import { planPractice } from "./few_shot_plan.ts";
import { practiseAndLook } from "./few_shot_practice.ts";
import {
  type FewShotFrames,
  type FewShotState,
  foldedPerson,
  uploadFrames,
} from "./few_shot_step.ts";
import { type FewShotStart, startFewShot } from "./few_shot_start.ts";
import {
  type FewShotWatch,
  keepBest,
  type Look,
  lookAt,
  type Seen,
  startWatch,
} from "./few_shot_watch.ts";
import { downloadTensors } from "./host_tensors.ts";
import type { Person } from "./person.ts";
import { modelFrom, type TrainedModel } from "./trained_model.ts";

/** What fine-tuning starts from. */
export interface FewShotInput {
  /** Made by `embedPerson` with the same model from the same frames. */
  readonly person: Person<"embedded">;
  /** Frames of the person, crops of the model's size. // [T] */
  readonly frames: readonly Frame[];
}

/** How a person is fine-tuned, where the preset's way is not wanted. */
export interface FineTuneOptions {
  /** Settings that differ from the preset's; `exactUpdates` and `leastUpdates` say how many updates. */
  readonly settings?: Partial<FineTuning>;
  /** Where ψ′ and w′ come from; default: the paper's way. */
  readonly start?: FewShotStart;
  /** The content loss; default: the one that the model was trained with. */
  readonly content?: readonly ContentEntry[];
  /**
   * With at least 4 frames: one of them is not trained on, and training stops when that one gets
   * no better; the best is kept. Default false.
   */
  readonly earlyStopping?: boolean;
  /** Is shown the watched frame as it improves; an early look is the feed-forward answer. */
  readonly onLook?: (look: Look) => void;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Frames from which one can be spared for early stopping. */
const leastForEarlyStopping = 4;

const bad = (...problems: readonly string[]): E.Either<Err<"Config">, never> =>
  E.left({ _tag: "Config", problems });

const check = (
  model: TrainedModel,
  { person, frames }: FewShotInput,
  { earlyStopping = false }: FineTuneOptions,
): E.Either<Err<"Config">, void> => {
  if (person.model !== model.hash) {
    return bad(
      `Cannot fine-tune: the person was embedded with another model (${
        person.model.slice(0, 12)
      }…), expected that of ${model.path} (${model.hash.slice(0, 12)}…)`,
    );
  }
  return earlyStopping && frames.length < leastForEarlyStopping
    ? bad(
      `Cannot stop early: there are ${frames.length} frames, expected at least ` +
        `${leastForEarlyStopping}, so that one can be held out`,
    )
    : E.right(undefined);
};

const finish = (
  person: Person<"embedded">,
  state: Owned<FewShotState>,
  seen: Seen,
): Program<Person<"fine-tuned">> =>
  F.pipe(
    seen.best ? RTE.right(seen.best) : F.pipe(
      foldedPerson(state),
      RTE.flatMap((folded) => (env: Env) => async () => {
        using owned = folded;
        return await downloadTensors(owned.value)(env)();
      }),
    ),
    RTE.map(({ [coefficientsName]: coefficients, ...generator }) => ({
      ...person,
      kind: "fine-tuned" as const,
      coefficients: Float32Array.from(coefficients?.data ?? []),
      generator,
    })),
  );

const tune = (
  model: TrainedModel,
  { person, frames }: FewShotInput,
  options: FineTuneOptions,
  content: ContentNetworks,
): Program<Person<"fine-tuned">> =>
(env) => {
  const asked = { ...fineTunings[person.preset], ...options.settings };
  const { kept, watched } = startWatch(env.rng, frames, options.earlyStopping ?? false);
  const watch: FewShotWatch = {
    frame: watched,
    stops: options.earlyStopping ?? false,
    onLook: options.onLook ?? (() => {}),
  };
  const { settings, frames: learnt, steps } = planPractice(env.rng, asked, kept);
  const start = env.now();
  env.emit({
    _tag: "RunStarted",
    step: 0,
    steps,
    backend: env.backend.device,
    parameters: {},
  });
  return F.pipe(
    learnt,
    bracket(
      uploadFrames(content, settings),
      (data: Owned<FewShotFrames>): Program<Person<"fine-tuned">> =>
        bracket(
          startFewShot(model, options.start),
          (state: Owned<FewShotState>): Program<Person<"fine-tuned">> => {
            const context = {
              model: modelFrom(model.config),
              settings,
              steps,
              content,
              frames: data,
            };
            return F.pipe(
              lookAt(watch, context.model, state),
              RTE.flatMap((look): Program<Seen> => keepBest(watch, state, { stale: 0 }, look)),
              RTE.flatMap((seen) => practiseAndLook(context, watch, state, learnt.length, seen)),
              RTE.flatMap((seen) => finish(person, state, seen)),
              RTE.tapIO(() => () =>
                env.emit({
                  _tag: "RunEnded",
                  step: state.value.step,
                  seconds: (env.now() - start) / 1000,
                })
              ),
            );
          },
          (state) => state[Symbol.dispose](),
        )(person.embedding),
      (data) => data[Symbol.dispose](),
    ),
  )(env);
};

/**
 * Fine-tunes an embedded person on their frames (section 3.3): ψ′ = P·ê_NEW and w′ = w0 + ê_NEW
 * become parameters, G′ and D′ learn the simplified objective (equations 9 and 10), E and P stay as
 * they are. Tells `StepDone` for every update and `Evaluated` for every look at a watched frame.
 * The same seed gives the same person on `wasm` and `cpu`. `Config` where the person is of another
 * model; `NonFinite`, `Aborted` and errors of the backend and the content networks can end it.
 *
 * @example
 * ```ts
 * import { F, RTE } from "../core/fp.ts";
 * import { embedPerson } from "./embed.ts";
 * import { fineTune } from "./fine_tune.ts";
 * import { readSources } from "./sources.ts";
 * import { loadModel } from "./trained_model.ts";
 *
 * const learn = (run: string, ...photos: readonly string[]) =>
 *   F.pipe(
 *     RTE.Do,
 *     RTE.bindW("model", () => loadModel(run)),
 *     RTE.bindW("frames", () => readSources({ size: 64 })(photos)),
 *     RTE.bindW("person", ({ model, frames }) => embedPerson(model)(frames)),
 *     RTE.flatMap(({ model, person, frames }) => fineTune(model)({ person, frames })),
 *   );
 * if (learn.length !== 1) throw new Error("unexpected");
 * ```
 */
export const fineTune = (
  model: TrainedModel,
  options: FineTuneOptions = {},
): Stage<Env, PipelineError, FewShotInput, Person<"fine-tuned">> =>
(input) =>
  F.pipe(
    RTE.fromEither(check(model, input, options)),
    RTE.flatMap((): Program<Person<"fine-tuned">> =>
      bracket(
        () => loadContentNetworks(options.content ?? model.config.training.content),
        (content: Owned<ContentNetworks>) => tune(model, input, options, content.value),
        (content) => content[Symbol.dispose](),
      )(undefined)
    ),
  );
