/**
 * Everybody who answers in an evaluation: each way of each method to learn a person, and the
 * answers that need no method, the floor and the ceiling of the table.
 *
 * @module
 */
import type { Dataset } from "../../../datasets/dataset.ts";
import type { Env, HasRng } from "../../core/env.ts";
import type { PipelineError } from "../../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../../core/fp.ts";
import type { Image } from "../../core/image.ts";
import type { Owned } from "../../core/owned.ts";
import { bracket } from "../../core/stage.ts";
import { meanTrainingFrame } from "../held_out.ts";
import type { FewShot, LearntPerson, TrainedMethod } from "../method.ts";
import type { FineTuningWay, Question } from "./protocol.ts";

/** Somebody who answers. */
export interface Answerer {
  /** The row of the table. */
  readonly name: string;
  /** Whether it is a floor or a ceiling and no method. */
  readonly trivial?: true;
  /** T frames and hold-out frames → what it makes of the hold-out frames. */
  readonly answer: (
    question: Question,
  ) => ReaderTaskEither<Env, PipelineError, readonly Image[]>;
}

/** A trained method with the name that its rows start with. */
export interface NamedMethod {
  /** What the table calls it. */
  readonly label: string;
  /** Its networks; they outlive the evaluation. */
  readonly trained: Owned<TrainedMethod>;
  /** Which of its ways to learn a person are asked, by name; all by default. */
  readonly only?: readonly string[];
}

const byFewShot = (
  label: string,
  { name, learn, practice }: FewShot,
  { updates, copies }: FineTuningWay,
): Answerer => ({
  name: `${label}, ${name}`,
  answer: ({ sources, targets }) =>
    bracket(
      () =>
        practice === undefined || (updates ?? copies) === undefined
          ? learn(sources)
          : practice.learn(practice.updates(sources.length, updates), copies)(sources),
      (person: Owned<LearntPerson>): ReaderTaskEither<Env, PipelineError, readonly Image[]> =>
        person.value.render(targets),
      (person) => person[Symbol.dispose](),
    )(undefined),
});

/**
 * Each way of each method to learn a person: "Ours, feed-forward", "Ours, fine-tuned"; fine-tuning
 * goes as the preset says, or as `way` does.
 */
export const methodAnswerers = (
  methods: readonly NamedMethod[],
  way: FineTuningWay = {},
): readonly Answerer[] =>
  methods.flatMap(({ label, trained, only }) =>
    trained.value.fewShot
      .filter(({ name }) => only === undefined || only.includes(name))
      .map((fewShot) => byFewShot(label, fewShot, way))
  );

/** Floor: the mean training frame. Ceilings: another real frame, and the real frame itself. */
const trivial = (mean: Image): readonly Answerer[] => [
  {
    name: "mean training frame",
    trivial: true,
    answer: ({ targets }) => RTE.right(targets.map(() => mean)),
  },
  {
    name: "real, another frame",
    trivial: true,
    answer: ({ sources, targets }) => ({ rng }: HasRng) => {
      const draw = rng.fold("another frame").draw();
      return () => Promise.resolve(E.right(targets.map(() => draw.pick(sources).image)));
    },
  },
  {
    name: "real, the frame itself",
    trivial: true,
    answer: ({ targets }) => RTE.right(targets.map(({ image }) => image)),
  },
];

/** Every row of the table. `Data` where no training frame can be averaged. */
export const answerers = (
  dataset: Dataset,
  methods: readonly NamedMethod[],
  way: FineTuningWay = {},
): ReaderTaskEither<Env, PipelineError, readonly Answerer[]> =>
  F.pipe(
    meanTrainingFrame(256)(dataset),
    RTE.map((mean) => [
      ...methodAnswerers(methods, way),
      ...trivial(mean),
    ]),
  );
