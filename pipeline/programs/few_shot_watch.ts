/**
 * What happens between updates of fine-tuning: figures are read, a frame of the person is painted
 * and compared, and the best person so far is kept where one photo was held out for that.
 *
 * @module
 */
import type { Model } from "../../models/adversarial.ts";
import type { HasBackend, HasEvents } from "../core/env.ts";
import type { Err } from "../core/errors.ts";
import { E, F, type ReaderTaskEither, RTE } from "../core/fp.ts";
import type { Frame, Image } from "../core/image.ts";
import type { Owned } from "../core/owned.ts";
import type { Rng } from "../core/rng.ts";
import { meanAbsoluteError } from "../metrics/pixels.ts";
import { ssim } from "../metrics/ssim.ts";
import type { StepReport } from "./adversarial_step.ts";
import type { HostTensors } from "../core/safetensors.ts";
import { imagesToTensor, mapFrame, tensorToImages } from "./device_batch.ts";
import { type FewShotState, foldedPerson, paintNow } from "./few_shot_step.ts";
import { downloadTensors } from "./host_tensors.ts";
import { nonFiniteLimit } from "./observe.ts";
import { choosePortrait } from "./person.ts";

type Device = Err<"Backend" | "DeviceLost">;

/** A look at the person while they are learnt. */
export interface Look {
  /** Updates made. */
  readonly step: number;
  /** The landmarks that were asked for, the true frame, what was painted. */
  readonly images: readonly [map: Image, truth: Image, painted: Image];
  /** Mean absolute error, images in [-1, 1]. */
  readonly l1: number;
  /** Structural similarity, 1 for equal pictures. */
  readonly ssim: number;
}

/** What is looked at, and what a look decides. */
export interface FewShotWatch {
  readonly frame: Frame;
  /** Whether the frame is held out: the best look is kept, and staleness ends the learning. */
  readonly stops: boolean;
  readonly onLook: (look: Look) => void;
}

/** The best look so far. */
export interface Seen {
  /** L1 of the best look. */
  readonly l1?: number;
  /** The folded generator and ψ′ at the best look, where looks decide. */
  readonly best?: HostTensors;
  /** Looks since the best one. */
  readonly stale: number;
}

/** Which frames are learnt, and which one is watched: a held-out one where that decides. */
export const startWatch = (
  rng: Rng,
  frames: readonly Frame[],
  holdOut: boolean,
): { readonly kept: readonly Frame[]; readonly watched: Frame } => {
  if (!holdOut) return { kept: frames, watched: choosePortrait(frames) };
  const out = rng.fold("held-out photo").draw().pick(frames);
  return { kept: frames.filter((frame) => frame !== out), watched: out };
};

/** The places of the batches of updates `from` to `to`: every frame once an epoch, in an order of the epoch's own. */
export const drawBatches = (
  rng: Rng,
  { frames, batch, from, to }: {
    readonly frames: number;
    readonly batch: number;
    readonly from: number;
    readonly to: number;
  },
): readonly (readonly number[])[] => {
  const order = (epoch: number): readonly number[] =>
    rng.fold("photos").fold(epoch).draw().distinct(frames, frames);
  const size = Math.min(batch, frames);
  return Array.from(
    { length: to - from },
    (_, i) =>
      Array.from({ length: size }, (_, k) => {
        const position = (from + i) * size + k;
        return order(Math.floor(position / frames))[position % frames] ?? 0;
      }),
  );
};

/** Reads the figures of some updates at once and tells them; `seconds` is what they took. */
export const readReports = (
  reports: readonly Owned<StepReport>[],
  seconds: number,
): ReaderTaskEither<HasBackend & HasEvents, Device | Err<"NonFinite">, void> =>
({ backend, emit }) =>
async () => {
  const read = await backend.read(
    "figures",
    () => Promise.all(reports.map(({ value }) => value.values.data<"float32">())),
  )();
  let skipped = 0, last = 0;
  for (const [i, report] of reports.entries()) {
    const { step, names } = report.value;
    const values = E.isRight(read) ? read.right[i] : undefined;
    last = step;
    report[Symbol.dispose]();
    if (!values) continue;
    const losses = Object.fromEntries(names.map((name, k) => [name, values[k] ?? NaN]));
    emit({ _tag: "StepDone", step, seconds: seconds / reports.length, losses });
    if (losses.generatorFinite !== 0 && losses.discriminatorFinite !== 0) continue;
    emit({ _tag: "Warning", step, message: "Skipped an update: a loss or gradient is not finite" });
    skipped++;
  }
  if (E.isLeft(read)) return read;
  return skipped > 0 && skipped >= Math.min(nonFiniteLimit, reports.length)
    ? E.left({ _tag: "NonFinite", step: last, where: "a loss or gradient" })
    : E.right(undefined);
};

/** Paints the watched frame with the averaged G′ of now and compares it. */
export const lookAt = (
  { frame, stops, onLook }: FewShotWatch,
  model: Model,
  state: Owned<FewShotState>,
): ReaderTaskEither<HasBackend & HasEvents, Device, Look> =>
({ backend, emit }) =>
async () => {
  const { map } = mapFrame(frame), { step } = state.value;
  const made = await backend.run(
    "a look at the person",
    () => paintNow(model, state.value, imagesToTensor([map])),
  )();
  if (E.isLeft(made)) return made;
  const read = await backend.read("a look at the person", () => made.right.data<"float32">())();
  backend.dispose(made.right);
  if (E.isLeft(read)) return read;
  const painted = tensorToImages(read.right, model.architecture.size)[0] ?? frame.image;
  const l1 = meanAbsoluteError(painted, frame.image), similarity = ssim(painted, frame.image);
  const look: Look = { step, images: [map, frame.image, painted], l1, ssim: similarity };
  const of = stops ? "a held-out photo" : "a photo that is learnt";
  emit({ _tag: "Evaluated", step, of, figures: { l1, ssim: similarity } });
  onLook(look);
  return E.right(look);
};

/** Remembers the person where this look is the best one and looks decide. */
export const keepBest = (
  { stops }: FewShotWatch,
  state: Owned<FewShotState>,
  seen: Seen,
  { l1 }: Look,
): ReaderTaskEither<HasBackend, Device, Seen> => {
  if (!stops) return RTE.right(seen);
  if (seen.l1 !== undefined && l1 >= seen.l1) return RTE.right({ ...seen, stale: seen.stale + 1 });
  return F.pipe(
    foldedPerson(state),
    RTE.flatMap((folded) => (env: HasBackend) => async () => {
      using owned = folded;
      return await downloadTensors(owned.value)(env)();
    }),
    RTE.map((best): Seen => ({ l1, best, stale: 0 })),
  );
};
