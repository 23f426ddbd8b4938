/**
 * What a talking-head method is to the programs: meta-training, few-shot learning and driving
 * behind one interface, so that the paper's system and its rivals (section 4) train, resume and
 * are judged alike. A method's state and networks stay its own affair.
 *
 * @module
 */
import type { ContentNetworks } from "../../models/content_loss.ts";
import type { Preset, PresetName } from "../../models/presets.ts";
import type { Env, HasBackend, HasRng } from "../core/env.ts";
import type { Err, PipelineError } from "../core/errors.ts";
import type { Figures } from "../core/events.ts";
import type { ReaderTaskEither } from "../core/fp.ts";
import type { Frame, Image } from "../core/image.ts";
import type { Owned } from "../core/owned.ts";
import type { Stage } from "../core/stage.ts";
import type { StepReport } from "./adversarial_step.ts";
import type { DeviceStep } from "./device_batch.ts";
import type { StateFiles } from "./state_files.ts";
import type { TrainedModel } from "./trained_model.ts";

/** What a device may answer instead of a result. */
export type DeviceError = Err<"Backend" | "DeviceLost">;

/** One person as a method has learnt them, ready to be driven. */
export interface LearntPerson {
  /**
   * Synthesises the person as in each driving frame: from its landmarks, or (X2Face) from its
   * picture. // [n] frames → [n] images of the same size
   */
  readonly render: Stage<HasBackend, DeviceError, readonly Frame[], readonly Image[]>;
}

/** Learning a person where it is training: how long it is, and how to do less of it. */
export interface Practice {
  /** Updates that T frames get: the preset's number, or with `least` in place of its least. */
  readonly updates: (frames: number, least?: number) => number;
  /**
   * The same learning with so many updates, which is what a time is projected from, and with so
   * many moved copies of the frames; the preset's number by default.
   */
  readonly learn: (updates: number, copies?: number) => FewShot["learn"];
}

/** A way in which a method learns a person from T frames (section 3.3). */
export interface FewShot {
  /** What tables call it: "feed-forward", "fine-tuned". */
  readonly name: string;
  /** T frames → a person, owned by the caller; the trained networks must outlive it. */
  readonly learn: Stage<Env, PipelineError, readonly Frame[], Owned<LearntPerson>>;
  /** Where learning makes updates. */
  readonly practice?: Practice;
}

/** The networks of a method after meta-training, as they are evaluated. */
export interface TrainedMethod {
  /** Which networks they are: the hash of their weights, where they come from a file. */
  readonly source?: string;
  /** How a person is learnt; training is watched with the first, which must be quick. */
  readonly fewShot: readonly [FewShot, ...FewShot[]];
}

/** A method in the middle of meta-training: its whole state, with one owner. */
export interface MethodTraining {
  /** Steps done. */
  readonly steps: () => number;
  /** One step of training (section 3.2): consumes the batch, changes the state in place. */
  readonly step: Stage<HasBackend, DeviceError, Owned<DeviceStep>, Owned<StepReport>>;
  /** Brings home what a step has left on the device; once a tick. */
  readonly settle: ReaderTaskEither<HasBackend, DeviceError, void>;
  /** Everything that resuming needs, as named arrays. */
  readonly files: ReaderTaskEither<HasBackend, DeviceError, StateFiles>;
  /** The networks as they would be evaluated now. */
  readonly trained: ReaderTaskEither<HasBackend, DeviceError, Owned<TrainedMethod>>;
}

/** What a method is trained on. */
export interface MethodSetting {
  /** Its sizes, by name. */
  readonly name: PresetName;
  /** The same preset with the training of the run. */
  readonly preset: Preset;
  /** Training sequences: rows of W. */
  readonly sequences: number;
}

/** Arrays of a checkpoint and where they were read, for messages. */
export interface StateSource {
  /** The checkpoint's folder. */
  readonly path: string;
  /** What it holds. */
  readonly files: StateFiles;
}

/** A system that learns people from few frames. */
export interface TalkingHeadMethod {
  /** What tables and options call it. */
  readonly name: string;
  /** One sentence for help texts and reports. */
  readonly about: string;
  /** The newest whole checkpoint of a run, to learn people with. */
  readonly load: (run: string) => ReaderTaskEither<Env, PipelineError, Owned<TrainedMethod>>;
}

/** A method that is trained on all people before it learns one. */
export interface TrainableMethod extends TalkingHeadMethod {
  /** Parameters of each of its networks. */
  readonly parameters: (setting: MethodSetting) => Figures;
  /** A new state from the seed. */
  readonly create: (
    setting: MethodSetting,
    content: ContentNetworks,
  ) => ReaderTaskEither<HasBackend & HasRng, DeviceError, Owned<MethodTraining>>;
  /** The state of a checkpoint; `Checkpoint` names what is missing or misshapen. */
  readonly restore: (
    setting: MethodSetting,
    content: ContentNetworks,
    source: StateSource,
  ) => ReaderTaskEither<HasBackend, DeviceError | Err<"Checkpoint">, Owned<MethodTraining>>;
  /** Networks in host memory, to learn people with; `load` opens those of a checkpoint. */
  readonly open: Stage<HasBackend, DeviceError, TrainedModel, Owned<TrainedMethod>>;
}

export { type TrainableName, trainableNames } from "./trainable_names.ts";
