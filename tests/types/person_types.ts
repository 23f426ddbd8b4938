/** People: raw photos cannot be driven, and nobody is fine-tuned twice. Nothing here runs. */
import { F, RTE } from "../../pipeline/core/fp.ts";
import type { Env, HasBackend } from "../../pipeline/core/env.ts";
import type { Err, PipelineError } from "../../pipeline/core/errors.ts";
import type { Frame, Image, Landmarks } from "../../pipeline/core/image.ts";
import type { Owned } from "../../pipeline/core/owned.ts";
import { andThen, type Stage } from "../../pipeline/core/stage.ts";
import { drive } from "../../pipeline/programs/drive.ts";
import type { DriveOptions } from "../../pipeline/programs/drive_options.ts";
import { embedPerson } from "../../pipeline/programs/embed.ts";
import { fineTune } from "../../pipeline/programs/fine_tune.ts";
import type { Person } from "../../pipeline/programs/person.ts";
import { openPerson, renderLandmarks } from "../../pipeline/programs/render.ts";
import type { TrainedModel } from "../../pipeline/programs/trained_model.ts";
import { assertType, type IsExact } from "@std/testing/types";

declare const model: TrainedModel;
declare const options: DriveOptions;
declare const photos: readonly Image[];
declare const frames: readonly Frame[];
declare const embedded: Person<"embedded">;
declare const tuned: Person<"fine-tuned">;
declare const anybody: Person;
declare const track: readonly Landmarks[];

export const bothKindsAreDriven = () => [
  drive(options)(embedded),
  drive(options)(tuned),
  drive(options)(anybody),
  openPerson(tuned),
];

export const photosAreNoPerson = () => {
  // @ts-expect-error photos are not a person yet
  drive(options)(photos);
  // @ts-expect-error nor are their crops
  openPerson(frames);
  // @ts-expect-error a person must be on the device before landmarks become frames
  renderLandmarks(embedded)(track);
  // @ts-expect-error the embedder wants crops with landmarks, not photos
  embedPerson(model)(photos);
};

export const onlyTheEmbeddedAreFineTuned = () => {
  const tune = fineTune(model);
  const made = tune({ person: embedded, frames });
  assertType<
    IsExact<typeof made, RTE.ReaderTaskEither<Env, PipelineError, Person<"fine-tuned">>>
  >(true);
  // @ts-expect-error nobody is fine-tuned twice
  tune({ person: tuned, frames });
  // @ts-expect-error a file may hold somebody who is fine-tuned already
  tune({ person: anybody, frames });
  // @ts-expect-error fine-tuning needs the frames, not the person alone
  tune(embedded);
  const twice = F.pipe(made, RTE.map((person) => ({ person, frames })));
  // @ts-expect-error nor in a pipe
  return F.pipe(twice, RTE.flatMap(tune));
};

export const embeddingNeedsABackendOnly = () => {
  const open = F.pipe(embedPerson(model), andThen(openPerson));
  type Opened = typeof open extends
    Stage<HasBackend, Err<"Backend" | "DeviceLost">, readonly Frame[], Owned<unknown>> ? true
    : false;
  assertType<Opened>(true);
  // @ts-expect-error fine-tuning needs events, randomness and a clock besides
  const less: Stage<HasBackend, PipelineError, Parameters<ReturnType<typeof fineTune>>[0], Person> =
    fineTune(model);
  return less;
};
