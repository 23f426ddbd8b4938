/**
 * Few-shot learning in ten lines (section 3.3): photos of somebody become a person, fine-tuned, and
 * somebody else's motion drives them.
 *
 *     deno run -A examples/few_shot.ts runs/toy-64-001 ada.mp4 ada_1.jpg ada_2.jpg …
 *
 * Without photos it takes a synthetic person whom nobody trained on.
 *
 * @module
 */
import * as hs from "../mod.ts";
const { E, F, RTE } = hs;

/** Photos → the film of a fine-tuned person. What it needs and how it fails is inferred. */
export const fewShot = (run: string, photos: readonly string[], drive: hs.DriveOptions) =>
  F.pipe(
    RTE.Do,
    RTE.bindW("model", () => hs.loadModel(run)),
    RTE.bindW("frames", ({ model: { config } }) =>
      hs.readSources({ size: hs.presets[config.preset].architecture.size })(photos)),
    RTE.bindW("person", ({ model, frames }) =>
      hs.embedPerson(model)(frames)),
    RTE.flatMap(({ model, person, frames }) =>
      hs.fineTune(model)({ person, frames })
    ),
    RTE.flatMap(hs.drive(drive)),
  );

if (import.meta.main) {
  const [run = "runs/toy-64-001", out = "few_shot.mp4", ...photos] = Deno.args;
  const backend = await hs.selectBackend("auto")();
  if (E.isLeft(backend)) throw new Error(hs.renderError(backend.left));
  const sources = photos.length > 0 ? photos : ["synthetic:1152"];
  const film = fewShot(run, sources, { driver: "synthetic:1156/1", out, sideBySide: true });
  const made = await film(hs.makeEnv({ backend: backend.right, seed: 1 }))();
  await backend.right.close();
  if (E.isLeft(made)) throw new Error(hs.renderError(made.left));
}
