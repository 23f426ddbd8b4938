/**
 * `deno task fine-tune`.
 *
 * @module
 */
import { contactSheet } from "../../datasets/drawing.ts";
import { writeImage } from "../../datasets/codec.ts";
import { leastUpdates } from "../../models/fine_tuning.ts";
import {
  decodeConfig,
  listOf,
  nonNegativeInteger,
  path,
  positiveInteger,
  rate,
  strict,
  text,
} from "../core/config.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import { makeRng } from "../core/rng.ts";
import { fineTune } from "../programs/fine_tune.ts";
import type { Look } from "../programs/few_shot_watch.ts";
import type { Person } from "../programs/person.ts";
import type { Command } from "./command.ts";
import { contentEntries } from "./content_option.ts";
import { settingsOf, yes } from "./settings.ts";
import {
  embedFrom,
  fewShotOptions,
  keepPerson,
  lastOptions,
  optionalCodecs,
  type PersonResult,
  personText,
  requiredCodecs,
} from "./few_shot_options.ts";
import { copiesOption } from "./copies_option.ts";
import type { Option } from "./options.ts";
import { runOnBackend } from "./run_on_backend.ts";
import { say } from "./terminal.ts";

const options: readonly Option[] = [
  ...fewShotOptions,
  {
    name: "epochs",
    value: "N",
    help: "see each photo so often (the preset's number of updates)",
    numeric: true,
  },
  { name: "rate", value: "R", help: "Adam's rate for G′ and D′ (the preset's)", numeric: true },
  {
    name: "together",
    value: "N",
    help: "photos that pass the networks at once: fewer need less memory (the preset's)",
    numeric: true,
  },
  copiesOption,
  {
    name: "early-stopping",
    help: "hold one photo out (of 4 or more) and stop when it gets no better",
  },
  {
    name: "samples",
    value: "DIR",
    help: "paint the watched frame into this folder as it improves (nowhere)",
  },
  {
    name: "content",
    value: "NAME=PATH",
    repeatable: true,
    help: "weights of a network of the content loss (those of the run)",
  },
  { name: "seed", value: "N", help: "everything random follows from it (1)", numeric: true },
  ...lastOptions,
];

const settingsCodec = strict(requiredCodecs, {
  ...optionalCodecs,
  "epochs": positiveInteger,
  "rate": rate,
  "together": positiveInteger,
  "copies": nonNegativeInteger,
  "early-stopping": yes,
  "samples": path,
  "content": listOf(text),
  "seed": nonNegativeInteger,
});

/** Paints looks into a folder; a problem is told once, and the fine-tuning goes on. */
const painter = (folder: string | undefined) => {
  const written: Promise<unknown>[] = [];
  let told = false;
  const paint = async ({ step, images }: Look): Promise<void> => {
    const name = `${folder}/step-${String(step).padStart(6, "0")}.png`;
    if (folder !== undefined) await Deno.mkdir(folder, { recursive: true }).catch(() => {});
    const done = await writeImage(name, contactSheet(images, images.length, { gap: 2 }))();
    if (E.isLeft(done) && !told) {
      told = true;
      say(`${done.left.message}, the fine-tuning goes on without these pictures`);
    }
  };
  return {
    onLook: (look: Look): void => {
      if (folder !== undefined) written.push(paint(look));
    },
    done: async (): Promise<void> => void await Promise.all(written),
  };
};

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** The command. */
export const fineTuneCommand: Command = {
  name: "fine-tune",
  about: "Makes a person from photos and fine-tunes networks of their own (section 3.3).",
  options,
  example: "deno task fine-tune --run runs/first --images ada/*.jpg --out ada.safetensors",
  run: async (parsed) => {
    const decoded = decodeConfig(settingsCodec, "the options")(settingsOf(options, parsed));
    if (E.isLeft(decoded)) return decoded;
    const settings = decoded.right, since = performance.now();
    const { epochs, rate, together, copies, samples, seed = 1, ...rest } = settings;
    const looks = painter(samples);
    const program: Program<PersonResult> = F.pipe(
      embedFrom(settings),
      RTE.flatMap(({ model, person, frames }): Program<Person> =>
        F.pipe(
          RTE.fromEither(contentEntries(rest.content, model.config.training.content)),
          RTE.flatMap((content): Program<Person> =>
            fineTune(model, {
              content,
              earlyStopping: rest["early-stopping"] ?? false,
              onLook: looks.onLook,
              settings: {
                ...(epochs && { epochs, ...leastUpdates(1) }),
                ...(together && { together }),
                ...(copies !== undefined && { movedCopies: copies }),
                ...(rate && { generatorRate: rate, discriminatorRate: rate }),
              },
            })({ person, frames })
          ),
        )
      ),
      RTE.flatMap((person) => keepPerson(settings, since)(person)),
    );
    const made = await runOnBackend(
      settings.backend ?? "auto",
      "Stopping: nothing is written",
      (env) => program({ ...env, rng: makeRng(seed) }),
    );
    await looks.done();
    return E.map((result: PersonResult) => ({ json: result, text: personText(result) }))(made);
  },
};
