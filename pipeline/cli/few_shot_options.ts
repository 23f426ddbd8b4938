/**
 * What `embed` and `fine-tune` have in common: options, and the way from them to a person.
 *
 * @module
 */
import type { BackendChoice } from "../../backends/select.ts";
import { listOf, oneOf, path, positiveInteger, text } from "../core/config.ts";
import type { Env } from "../core/env.ts";
import type { PipelineError } from "../core/errors.ts";
import { F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Frame } from "../core/image.ts";
import { embedPerson } from "../programs/embed.ts";
import type { Person } from "../programs/person.ts";
import { checkPersonPath, savePerson } from "../programs/person_file.ts";
import { readSources } from "../programs/sources.ts";
import { loadModel, modelFrom, type TrainedModel } from "../programs/trained_model.ts";
import type { Option } from "./options.ts";
import { yes } from "./settings.ts";

/** Options of both commands. */
export const fewShotOptions: readonly Option[] = [
  {
    name: "run",
    value: "DIR",
    help: "the folder of a meta-train run: its newest whole model (required)",
  },
  {
    name: "images",
    value: "--images PATH…",
    repeatable: true,
    positional: true,
    help: "photos, paintings, a video, a folder of photos, or synthetic:ID (required)",
  },
  { name: "out", value: "FILE", help: "the person's file, a .safetensors: a new name (required)" },
  { name: "face", value: "N", help: "in a photo of several: the N-th largest (1)", numeric: true },
  {
    name: "frames",
    value: "N",
    help: "frames taken from a video or a synthetic person (8)",
    numeric: true,
  },
  {
    name: "consent",
    value: "TEXT",
    help: "who agreed to what; kept in the person's file (not recorded)",
  },
  { name: "overwrite", help: "replace the person's file where it exists" },
];

/** Options at the end of both commands. */
export const lastOptions: readonly Option[] = [
  { name: "backend", value: "NAME", help: "auto, webgpu, wasm, native or cpu (auto)" },
  { name: "json", help: "print the result as one JSON object on stdout" },
];

/** Codecs of the options that must be there. */
export const requiredCodecs = { run: path, images: listOf(text, 1), out: path };

/** Codecs of the options that may be there. */
export const optionalCodecs = {
  face: positiveInteger,
  frames: positiveInteger,
  consent: text,
  overwrite: yes,
  backend: oneOf(["auto", "webgpu", "wasm", "cpu", "native"]),
  json: yes,
};

/** What both commands are told. */
export interface FewShotSettings {
  readonly run: string;
  readonly images: readonly string[];
  readonly out: string;
  readonly face?: number;
  readonly frames?: number;
  readonly consent?: string;
  readonly overwrite?: true;
  readonly backend?: BackendChoice;
}

/** A person as embedded, with what fine-tuning would go on with. */
export interface Embedded {
  readonly model: TrainedModel;
  readonly frames: readonly Frame[];
  readonly person: Person<"embedded">;
}

type Program<A> = ReaderTaskEither<Env, PipelineError, A>;

/** Checks what can be checked at once, loads the model, reads the sources, embeds the person. */
export const embedFrom = (settings: FewShotSettings): Program<Embedded> =>
  F.pipe(
    RTE.fromTaskEither(checkPersonPath(settings.out, { overwrite: settings.overwrite ?? false })),
    RTE.flatMap((): Program<TrainedModel> => loadModel(settings.run)),
    RTE.flatMap((model): Program<Embedded> =>
      F.pipe(
        readSources({
          size: modelFrom(model.config).architecture.size,
          ...(settings.face && { face: settings.face }),
          ...(settings.frames && { frames: settings.frames }),
        })(settings.images),
        RTE.flatMap((frames): Program<Embedded> =>
          F.pipe(
            embedPerson(model, settings.consent ? { consent: settings.consent } : {})(frames),
            RTE.map((person) => ({ model, frames, person })),
          )
        ),
      )
    ),
  );

/** What a command that made a person says of it. */
export interface PersonResult {
  /** The file. */
  readonly out: string;
  readonly kind: Person["kind"];
  readonly preset: string;
  /** T: source frames. */
  readonly frames: number;
  /** SHA-256 of the weights that the person was made with. */
  readonly model: string;
  readonly consent: string;
  /** From the command's start to the file. */
  readonly seconds: number;
}

/** Writes the person's file and says what it is. */
export const keepPerson =
  ({ out, overwrite }: FewShotSettings, since: number) =>
  (person: Person): Program<PersonResult> =>
  (env) =>
    F.pipe(
      RTE.fromTaskEither(savePerson(out, { overwrite: overwrite ?? false })(person)),
      RTE.map((): PersonResult => ({
        out,
        kind: person.kind,
        preset: person.preset,
        frames: person.sources.length,
        model: person.model,
        consent: person.consent,
        seconds: (env.now() - since) / 1000,
      })),
    )(env);

/** The result for people. */
export const personText = ({ out, kind, frames, consent, seconds }: PersonResult): string =>
  `Wrote ${out}: a person, ${kind} from ${frames} frame${frames === 1 ? "" : "s"} in ` +
  `${seconds.toFixed(1)} s; ${consent}`;
