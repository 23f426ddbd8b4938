/**
 * The whole way without any input: a synthetic person nobody trained on, few-shot learning from
 * some of their frames (section 3.3), a film in which another synthetic person drives them.
 *
 * @module
 */
import { findVideoTools } from "../../datasets/video/tools.ts";
import type { Env } from "../core/env.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import { fileProblem } from "../core/files.ts";
import { E, F, type ReaderTaskEither, RTE, TE } from "../core/fp.ts";
import type { Frame } from "../core/image.ts";
import { drive } from "./drive.ts";
import type { DriveResult } from "./drive_options.ts";
import { embedPerson } from "./embed.ts";
import { fineTune } from "./fine_tune.ts";
import { metaTrain } from "./meta_train.ts";
import type { Person } from "./person.ts";
import { savePerson } from "./person_file.ts";
import { decodeRunConfig, presetOf } from "./run_config.ts";
import { readSources } from "./sources.ts";
import { loadModel, type TrainedModel } from "./trained_model.ts";

/** What the demo is told. */
export interface DemoOptions {
  /** A new folder for the film and the person. */
  readonly out: string;
  /** The run whose model is used. Default: the newest one in `runs`, else one is trained. */
  readonly run?: string;
  /** Where runs are looked for, and where a new one goes. */
  readonly runs: string;
  /** Steps of training where there is no run. */
  readonly steps: number;
  /** Frames of the person that are learnt from. */
  readonly shots: number;
  /** Frames of the film. */
  readonly frames: number;
  /** Told in plain words which model is used and what comes next. */
  readonly tell: (line: string) => void;
}

/** What the demo made. */
export interface DemoResult {
  /** The film: `film.mp4`, or a folder of pictures where there is no ffmpeg. */
  readonly film: DriveResult;
  /** The person's file: it can be driven by anybody else. */
  readonly person: string;
  /** The checkpoint that the model comes from. */
  readonly model: string;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/**
 * People kept for evaluation: nobody trains on them. Both face the camera and talk; whoever looks
 * aside in all source frames is still learnt, but shows less.
 */
const WHO = { source: 1152, driver: "synthetic:1156/1" } as const;

/** Folders of runs, the newest first. */
const newestRuns = async (runs: string): Promise<readonly string[]> => {
  const found: { readonly path: string; readonly time: number }[] = [];
  try {
    for await (const { name } of Deno.readDir(runs)) {
      const path = `${runs}/${name}`;
      const stat = await Deno.stat(`${path}/checkpoints`).catch(() => undefined);
      if (stat?.isDirectory) found.push({ path, time: stat.mtime?.getTime() ?? 0 });
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  }
  return found.toSorted((a, b) => b.time - a.time).map(({ path }) => path);
};

/** A name that nothing has: `runs/demo`, `runs/demo-2`, … */
export const freshName = async (wanted: string): Promise<string> => {
  for (let n = 1;; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if (await Deno.lstat(name).then(() => false, () => true)) return name;
  }
};

const trainOne =
  ({ runs, steps, tell }: DemoOptions): Program<TrainedModel> => (env) => async () => {
    const run = await freshName(`${runs}/demo`);
    const config = decodeRunConfig({
      preset: "toy-64",
      run,
      training: { steps },
      judge: { people: 4, shots: 8, targets: 2 },
      gridEvery: steps,
    });
    if (E.isLeft(config)) return config;
    tell(
      `There is no finished run in ${runs}/: training toy-64 on synthetic heads for ${steps} steps ` +
        `into ${run}, a few minutes; too short for a good model, "deno task meta-train" makes one`,
    );
    return await F.pipe(metaTrain(config.right), RTE.flatMap(() => loadModel(run)))(env)();
  };

/** The model of the run that was named, else of the newest usable one, else of a short training. */
const chooseModel = (options: DemoOptions): Program<TrainedModel> => (env) => async () => {
  const { run, runs, tell } = options;
  const use = (model: TrainedModel): TrainedModel => {
    const { preset, data, training } = model.config;
    tell(`Using the model of ${model.path}: ${preset}, ${training.steps} steps on ${data}`);
    return model;
  };
  if (run !== undefined) return E.map(use)(await loadModel(run)(env)());
  for (const path of await newestRuns(runs)) {
    const loaded = await loadModel(path)(env)();
    if (E.isRight(loaded)) return E.right(use(loaded.right));
  }
  return await trainOne(options)(env)();
};

const learnPerson = (
  model: TrainedModel,
  { shots, tell }: DemoOptions,
): Program<Person<"fine-tuned">> => {
  const { architecture: { size } } = presetOf(model.config);
  tell(`Learning synthetic person ${WHO.source} from ${shots} frames, then fine-tuning`);
  return F.pipe(
    readSources({ size, frames: shots })([`synthetic:${WHO.source}`]),
    RTE.flatMap((frames: readonly Frame[]): Program<Person<"fine-tuned">> =>
      F.pipe(
        embedPerson(model, { consent: "a synthetic person" })(frames),
        RTE.flatMap((person): Program<Person<"fine-tuned">> => fineTune(model)({ person, frames })),
      )
    ),
  );
};

const makeFolder = (path: string): TE.TaskEither<Err<"BadFile">, void> =>
  TE.tryCatch(() => Deno.mkdir(path, { recursive: true }), (cause) => ({
    _tag: "BadFile",
    path,
    message: `Cannot make ${path}: ${fileProblem(cause)}, expected a new folder's name`,
  }));

/**
 * Runs the demo. Errors: those of its parts; `Config` where the folder exists and holds something.
 */
export const demo = (options: DemoOptions): Program<DemoResult> => {
  const { out, frames, tell } = options;
  const file = `${out}/person.safetensors`;
  return F.pipe(
    chooseModel(options),
    RTE.flatMap((model): Program<DemoResult> =>
      F.pipe(
        learnPerson(model, options),
        RTE.chainFirstW(() => RTE.fromTaskEither(makeFolder(out))),
        RTE.chainFirstW((person) => RTE.fromTaskEither(savePerson(file)(person))),
        RTE.flatMap((person): Program<DemoResult> => (env) => async () => {
          const tools = await findVideoTools()();
          if (E.isLeft(tools)) tell(`${tools.left.message}: the film is a folder of pictures`);
          const film = await drive({
            driver: WHO.driver,
            out: E.isRight(tools) ? `${out}/film.mp4` : `${out}/film`,
            sideBySide: true,
            frames,
            enlarge: Math.max(1, Math.floor(256 / person.rasterizer.size)),
          })(person)(env)();
          return E.map((film: DriveResult) => ({ film, person: file, model: model.path }))(film);
        }),
      )
    ),
  );
};
