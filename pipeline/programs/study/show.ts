/**
 * What a study shows of one person: every answer of every method beside two real frames of other
 * videos (section 4.1).
 *
 * @module
 */
import { encodePng } from "../../../datasets/codec.ts";
import type { Dataset } from "../../../datasets/dataset.ts";
import { abortedBy } from "../../core/abort.ts";
import type { Env } from "../../core/env.ts";
import { type PipelineError, renderError } from "../../core/errors.ts";
import { E, type ReaderTaskEither } from "../../core/fp.ts";
import type { Image } from "../../core/image.ts";
import type { Answerer } from "../evaluate/answers.ts";
import { askAbout, type Protocol } from "../evaluate/protocol.ts";
import { isOfPerson } from "../evaluate/question.ts";
import type { Picture, Triplet } from "./store.ts";
import { drawReals, type Exclusion, type RealPair, type StudySubject } from "./triplets.ts";

/** Whose frames are shown, and how many. */
export interface Showing {
  /** Whose held-out people. */
  readonly dataset: Dataset;
  /** From how many frames they are learnt; each hold-out frame is a triplet a method. */
  readonly protocol: Protocol;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Real and fake become files in the same way: nothing but the picture tells them apart. */
const pictureOf = async (
  video: string,
  frame: number,
  image: Image,
): Promise<E.Either<PipelineError, Picture>> => {
  const png = await encodePng(image)();
  return E.isLeft(png) ? png : E.right({ video, frame, png: png.right });
};

const realPicture = async (
  dataset: Dataset,
  { sequence, index }: RealPair[number],
): Promise<E.Either<PipelineError, Picture>> => {
  const read = await dataset.read(sequence, [index])();
  if (E.isLeft(read)) return read;
  const [frame] = read.right;
  if (!frame) throw new Error(`Cannot show frame ${index} of ${sequence.video}: it was not read`);
  return await pictureOf(sequence.video, index, frame.image);
};

/** One triplet for each fake. */
const tripletsOf = async (
  dataset: Dataset,
  { sequence: { identity, video } }: StudySubject,
  made: Pick<Triplet, "method" | "shots">,
  fakes: readonly Image[],
  reals: readonly RealPair[],
): Promise<E.Either<PipelineError, readonly Triplet[]>> => {
  const triplets: Triplet[] = [];
  for (const [target, image] of fakes.entries()) {
    const pair = reals[target];
    if (!pair) throw new Error(`Cannot show fake ${target}: no real frames were drawn for it`);
    const fake = await pictureOf(video, target, image);
    if (E.isLeft(fake)) return fake;
    const first = await realPicture(dataset, pair[0]);
    if (E.isLeft(first)) return first;
    const second = await realPicture(dataset, pair[1]);
    if (E.isLeft(second)) return second;
    const pictures = [fake.right, first.right, second.right] as const;
    triplets.push({ ...made, person: identity, target, pictures });
  }
  return E.right(triplets);
};

/** What there is to show of one person. */
export interface Shown {
  readonly triplets: readonly Triplet[];
  readonly excluded: readonly Exclusion[];
}

/** Learns a person in every way and makes triplets of the answers; what fails is a line, not a gap. */
export const showPerson = (
  { dataset, protocol: { frames } }: Showing,
  everybody: readonly Answerer[],
  subject: StudySubject,
): Program<Shown> =>
(env) =>
async () => {
  const { key, others, shots: allShots, sequence: { identity: person } } = subject;
  const count = allShots.length * everybody.length * frames;
  const reals = drawReals(others, count, env.rng.fold("real frames").fold(key).draw());
  const triplets: Triplet[] = [], excluded: Exclusion[] = [];
  let from = 0;
  for (const shots of allShots) {
    if (env.signal.aborted) return E.left(abortedBy(env.signal));
    const question = await askAbout(dataset, subject, shots, frames);
    if (E.isLeft(question)) {
      const detail = `T = ${shots}: ${renderError(question.left)}`;
      excluded.push({ person, reason: "unreadable frames", detail });
      continue;
    }
    // As in an evaluation with the same seed: the same fine-tuning, the same pictures.
    const rng = env.rng.fold("evaluation").fold(key).fold(shots);
    for (const { name: method, answer } of everybody) {
      const own = reals.slice(from, from + frames);
      from += frames;
      const fakes = await answer(question.right)({ ...env, rng, emit: () => {} })();
      const made = E.isLeft(fakes)
        ? fakes
        : await tripletsOf(dataset, subject, { method, shots }, fakes.right, own);
      if (E.isRight(made)) triplets.push(...made.right);
      else if (!isOfPerson(made.left)) return made;
      else {
        const detail = `T = ${shots}, ${method}: ${renderError(made.left)}`;
        const reason = made.left._tag === "BadSample" ? "unreadable frames" : "not answered";
        excluded.push({ person, reason, detail });
      }
    }
  }
  return E.right({ triplets, excluded });
};
