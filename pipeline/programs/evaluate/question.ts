/**
 * What everybody answers about one person, measured and kept.
 *
 * @module
 */
import type { Dataset } from "../../../datasets/dataset.ts";
import { abortedBy } from "../../core/abort.ts";
import type { Env } from "../../core/env.ts";
import { type Err, type PipelineError, renderError } from "../../core/errors.ts";
import { E, type ReaderTaskEither } from "../../core/fp.ts";
import { type Frame, type Image, makeImage } from "../../core/image.ts";
import type { HostTensors } from "../../core/safetensors.ts";
import type { Answerer } from "./answers.ts";
import { featureName, realName, stackFeatures } from "./features.ts";
import { describeTruths, measureAll, type Truth } from "./frame_figures.ts";
import { writeStrip } from "./grid.ts";
import type { Judges } from "./judges.ts";
import { askAbout, type Protocol, type Subject } from "./protocol.ts";
import { type PersonResults, readPerson, type Unanswered, writePerson } from "./store.ts";
import type { Measured } from "./table.ts";

/** Where the questions come from and where the results go. */
export interface Questioning {
  /** Whose held-out people. */
  readonly dataset: Dataset;
  /** From how many frames. */
  readonly protocol: Protocol;
  /** The folder of the results. */
  readonly out: string;
  /** Whose answers the grids show; everybody's by default. */
  readonly grid?: "everybody" | "methods";
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Failures of one person, which are a line in the results; all others end the work. */
export const isOfPerson = ({ _tag }: PipelineError): boolean =>
  _tag === "BadSample" || _tag === "NonFinite" || _tag === "Data";

/** In a grid, the place of an answer that was not given. */
const blank = ({ image: { width, height } }: Frame): Image =>
  makeImage(width, height, [128, 128, 128]);

/** Whether grids show somebody's answers. */
export const isShown = ({ grid }: Pick<Questioning, "grid">, { trivial }: Answerer): boolean =>
  grid !== "methods" || trivial === undefined;

/** What is known of the real hold-out frames of a person, which are the same for every T. */
interface Reality {
  readonly truths: readonly Truth[];
  /** Their features, where Inception judges. */
  readonly features?: HostTensors[string];
}

/** What was found out about one person and one T. */
interface Answers extends Omit<PersonResults, "key"> {
  /** What need not be found out again for the next T. */
  readonly reality?: Reality;
  /** Features of pictures by `T/answer`, and of the real ones. */
  readonly features: HostTensors;
}

const featuresOf = async (
  { inception }: Judges,
  images: readonly Image[],
): Promise<E.Either<PipelineError, HostTensors[string] | undefined>> => {
  if (!inception) return E.right(undefined);
  const found = await inception.features(images)();
  return E.isLeft(found) ? found : E.right(stackFeatures(found.right));
};

const lookAtReality = async (
  judges: Judges,
  targets: readonly Frame[],
): Promise<E.Either<PipelineError, Reality>> => {
  const features = await featuresOf(judges, targets.map(({ image }) => image));
  if (E.isLeft(features)) return features;
  const truths = await describeTruths(judges, targets);
  return E.isLeft(truths) ? truths : E.right({
    truths: truths.right,
    ...(features.right && { features: features.right }),
  });
};

/** A method must answer every frame with a picture of its size: other ones cannot be compared. */
const misfit = (
  name: string,
  images: readonly Image[],
  targets: readonly Frame[],
): Err<"Config"> | undefined => {
  const sizeOf = ({ width, height }: Image): string => `${width}×${height}`;
  const wanted = targets.map(({ image }) => sizeOf(image));
  const odd = images.findIndex((image, i) => sizeOf(image) !== wanted[i]);
  const found = images.length !== targets.length
    ? `pictures of ${images.length} frames, expected ${targets.length}`
    : odd >= 0
    ? `a picture of ${sizeOf(images[odd] as Image)}, expected ${wanted[odd]} as the frames are`
    : undefined;
  return found === undefined
    ? undefined
    : { _tag: "Config", problems: [`Cannot measure "${name}": it answers with ${found}`] };
};

/** All answers about one person for one T. */
const questionOne = (
  questioning: Questioning,
  judges: Judges,
  everybody: readonly Answerer[],
  subject: Subject,
  shots: number,
  known: Reality | undefined,
): Program<Answers> =>
(env) =>
async () => {
  const { dataset, protocol, out } = questioning, { key, sequence: { identity } } = subject;
  const question = await askAbout(dataset, subject, shots, protocol.frames);
  if (E.isLeft(question)) {
    const problem = renderError(question.left);
    const unanswered = [{ key, shots, answer: "", problem }];
    return E.right({ measured: [], unanswered, features: {} });
  }
  const reality = known ? E.right(known) : await lookAtReality(judges, question.right.targets);
  if (E.isLeft(reality)) return reality;
  const { truths, features: real } = reality.right;
  const features: Record<string, HostTensors[string]> = {
    ...(real && { [featureName(shots, realName)]: real }),
  };
  const measured: Measured[] = [], unanswered: Unanswered[] = [], shown: (readonly Image[])[] = [];
  for (const answerer of everybody) {
    const { name, answer } = answerer;
    const images = await answer(question.right)(env)();
    if (E.isLeft(images)) {
      if (!isOfPerson(images.left)) return images;
      if (isShown(questioning, answerer)) shown.push(question.right.targets.map(blank));
      unanswered.push({ key, shots, answer: name, problem: renderError(images.left) });
      continue;
    }
    const unfit = misfit(name, images.right, question.right.targets);
    if (unfit) return E.left(unfit);
    const frames = await measureAll(judges, images.right, truths);
    if (E.isLeft(frames)) return frames;
    const seen = await featuresOf(judges, images.right);
    if (E.isLeft(seen)) return seen;
    if (seen.right) features[featureName(shots, name)] = seen.right;
    measured.push({ identity, shots, answer: name, frames: frames.right });
    if (isShown(questioning, answerer)) shown.push(images.right);
  }
  const strip = await writeStrip(out, key, shots, question.right, shown)();
  if (E.isLeft(strip)) return strip;
  return E.right({ measured, unanswered, features, reality: reality.right });
};

/**
 * Asks everybody about one person for each T and keeps the results; what an earlier attempt has
 * kept is not asked again. A person whose frames cannot be read, or whom a method cannot learn, is
 * a line in the results; any other error ends the evaluation, `Config` where an answer has other
 * pictures than asked for.
 */
export const questionPerson = (
  evaluation: Questioning,
  judges: Judges,
  everybody: readonly Answerer[],
  subject: Subject,
): Program<PersonResults> =>
(env) =>
async () => {
  const { key } = subject;
  const before = await readPerson(evaluation.out, key);
  if (before) return E.right(before);
  const parts: Answers[] = [];
  for (const shots of subject.shots) {
    if (env.signal.aborted) return E.left(abortedBy(env.signal));
    // Randomness of a person and T is its own: resuming in the middle changes nothing.
    const rng = env.rng.fold("evaluation").fold(key).fold(shots);
    const quiet = { ...env, rng, emit: () => {} };
    const known = parts.find(({ reality }) => reality)?.reality;
    const part = await questionOne(evaluation, judges, everybody, subject, shots, known)(quiet)();
    if (E.isLeft(part)) return part;
    parts.push(part.right);
  }
  const results = {
    key,
    measured: parts.flatMap(({ measured }) => measured),
    unanswered: parts.flatMap(({ unanswered }) => unanswered),
  };
  const features = Object.assign({}, ...parts.map((part) => part.features)) as HostTensors;
  const written = await writePerson(evaluation.out, results, features)();
  return E.isLeft(written) ? written : E.right(results);
};
