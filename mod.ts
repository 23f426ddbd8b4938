/**
 * Headshot: few-shot talking heads (Zakharov et al. 2019) as composable pipelines of typed stages.
 *
 * A stage says in its type what it needs and how it can fail; composing stages adds both up, so a
 * script that forgets a backend, ignores a failure or runs a GPU stage concurrently with itself
 * does not compile.
 *
 * @example Draw training episodes of synthetic people and rasterize their landmarks
 * ```ts
 * import { E, episodes, F, landmarkMaps, makeRng, runCollect, syntheticHeads, take, through } from "./mod.ts";
 *
 * const dataset = syntheticHeads({ size: 64, identities: 4, heldOut: 1 });
 * const steps = F.pipe(
 *   episodes(dataset, { shots: 2, batch: 1 }),
 *   through(landmarkMaps),
 *   take(3),
 *   runCollect,
 * );
 * const drawn = await steps({ rng: makeRng(1), signal: new AbortController().signal })();
 * if (E.isLeft(drawn) || drawn.right.length !== 3) throw new Error("unexpected");
 * ```
 *
 * @module
 */

// The algebra: stages, flows, owned tensors, what they need, what they tell, how they fail.
export {
  E,
  type Either,
  F,
  type Failed,
  type ReaderTaskEither,
  RTE,
  type Succeeded,
  type TaskEither,
  TE,
} from "./pipeline/core/fp_api.ts";
export {
  andThen,
  both,
  bracket,
  type Fits,
  fromFunction,
  identity,
  map,
  orElse,
  provide,
  type Stage,
  stage,
  tap,
} from "./pipeline/core/stage.ts";
export {
  batch,
  type Consume,
  type CpuOnly,
  type Flow,
  fromIterable,
  prefetch,
  runCollect,
  runFold,
  runForEach,
  skipBadSamples,
  take,
  through,
  throughConcurrently,
  type Transform,
  unfold,
} from "./pipeline/core/flow.ts";
export { flatten, zip } from "./pipeline/core/flow_shape.ts";
export { compute, mutate, type Owned, owned, transfer, upload } from "./pipeline/core/owned.ts";
export {
  type Backend,
  type BackendName,
  type Env,
  type EnvOptions,
  type HasAbort,
  type HasBackend,
  type HasClock,
  type HasEvents,
  type HasRng,
  makeEnv,
} from "./pipeline/core/env.ts";
export {
  type Aborted,
  type BackendFailure,
  type BadConfig,
  type BadFile,
  type BadSample,
  type CheckpointFailure,
  type DataFailure,
  type DeviceLost,
  type Diverged,
  type Err,
  exitCode,
  type NonFinite,
  type PipelineError,
  type RejectReason,
  rejectReasons,
  renderError,
  type ToolMissing,
} from "./pipeline/core/errors.ts";
export type { Figures, TrainEvent } from "./pipeline/core/events.ts";
export { collect, fanOut, type FileSink, jsonLines, type Sink } from "./pipeline/core/sinks.ts";
export { type Draw, makeRng, type Rng } from "./pipeline/core/rng.ts";
export { type Frame, type Image, type Landmarks, makeImage } from "./pipeline/core/image.ts";
export type { Rect } from "./pipeline/core/resample.ts";

// Backends.
export { type Tensor, tf } from "./backends/tf_api.ts";
export { type BackendChoice, type BackendOptions, selectBackend } from "./backends/select.ts";
export {
  createFaceAnalyzer,
  type DetectedFace,
  type DetectOptions,
  type FaceAnalyzer,
} from "./backends/face.ts";

// Models.
export { type Architecture } from "./models/architecture.ts";
export { countArchitecture } from "./models/parameter_specs.ts";
export {
  countParameters,
  type Preset,
  type PresetName,
  presetNames,
  presets,
  type Ramp,
  type Training,
} from "./models/presets.ts";
export { averageEmbeddings, createEmbedder, embed, type Pooling } from "./models/embedder.ts";
export {
  type AdaptiveGain,
  type Affines,
  createGenerator,
  generate,
  generateWith,
  projectEmbedding,
} from "./models/generator.ts";
export type { Affine } from "./models/blocks.ts";
export { createDiscriminator, discriminate, type Judgement } from "./models/discriminator.ts";
export {
  effectiveWeights,
  foldSpectralNorm,
  iterateSpectral,
  type Network,
  plainWeights,
  type Tensors,
  type Weights,
} from "./models/parameters.ts";
export { adversarialLoss, featureMatchingLoss, hingeLoss, matchLoss } from "./models/losses.ts";
export {
  type ContentEntry,
  contentLoss,
  type ContentNetwork,
  type ContentNetworks,
  type ContentTerms,
  loadContentNetworks,
  prepareContent,
} from "./models/content_loss.ts";
export type { PerceptualNetworkName, VggPooling } from "./models/perceptual.ts";
export type { FeatureNetwork } from "./models/perceptual/network.ts";
export type { Batch, Model } from "./models/adversarial.ts";
export type { Learner } from "./models/optimiser.ts";
export type { RowTable } from "./models/row_table.ts";

// Data.
export type { Dataset, Episode, LostPerson, Sequence } from "./datasets/dataset.ts";
export { syntheticHeads, type SyntheticOptions } from "./datasets/synthetic.ts";
export type { FolderReport } from "./datasets/video/report.ts";
export type { PrepareFigures } from "./datasets/video/prepare_clip.ts";
export type { PreparedFigures } from "./datasets/video/clip_worker.ts";
export { type VideoFolder, videoFolder, type VideoFolderOptions } from "./datasets/folder.ts";
export {
  type PrepareError,
  prepareFolder,
  type PrepareOptions,
  type PrepareOutcome,
} from "./datasets/prepare/prepare_folder.ts";
export type { PreparedReport } from "./datasets/prepare/merge.ts";
export type { PackFigures } from "./datasets/prepare/pack_worker.ts";
export type {
  Counts,
  IndexedShard,
  PreparedIndex,
  PreparedSettings,
  Rejected,
  Split,
} from "./datasets/prepare/types.ts";
export { findShare, type Share } from "./datasets/prepare/share.ts";
export {
  type Verification,
  type VerifiedShard,
  type VerifyOptions,
  verifyPrepared,
} from "./datasets/prepare/verify.ts";
export {
  type PreparedVideos,
  preparedVideos,
  type PreparedVideosOptions,
} from "./datasets/prepared.ts";
export {
  type EpisodeRequest,
  episodes,
  sampleFrames,
  type StepEpisodes,
} from "./datasets/sample.ts";
export { landmarkMap, rasterizeLandmarks, type RasterizeOptions } from "./datasets/rasterize.ts";
export { type Color, contactSheet, type ContactSheetOptions } from "./datasets/drawing.ts";
export { decodeImage, encodeJpeg, encodePng, readImage, writeImage } from "./datasets/codec.ts";

// Stages and programs.
export {
  type DeviceStep,
  imagesToTensor,
  landmarkMaps,
  type MappedEpisode,
  type MappedFrame,
  type MappedStep,
  tensorToImages,
  toDevice,
} from "./pipeline/programs/device_batch.ts";
export { adversarialStep, type StepReport } from "./pipeline/programs/adversarial_step.ts";
export { embedAverage } from "./pipeline/programs/embed_average.ts";
export {
  drawHeldOut,
  type HeldOut,
  type Trial,
  type TrialSizes,
} from "./pipeline/programs/held_out.ts";
export { reenact, type Reenactment } from "./pipeline/programs/self_reenactment.ts";
export {
  type DeviceError,
  type FewShot,
  type LearntPerson,
  type MethodSetting,
  type MethodTraining,
  type Practice,
  type StateSource,
  type TalkingHeadMethod,
  type TrainableMethod,
  type TrainableName,
  trainableNames,
  type TrainedMethod,
} from "./pipeline/programs/method.ts";
export { evaluate, type Evaluation, type EvaluationReport } from "./pipeline/programs/evaluate.ts";
export {
  evaluateRuns,
  type LabelledRun,
  type RunsEvaluation,
} from "./pipeline/programs/evaluate_runs.ts";
export type { NamedMethod } from "./pipeline/programs/evaluate/answers.ts";
export type { Difference } from "./pipeline/programs/evaluate/differences.ts";
export type { Figured, FrameFigures } from "./pipeline/programs/evaluate/frame_figures.ts";
export type { JudgeChoice } from "./pipeline/programs/evaluate/judges.ts";
export type { Protocol, TooShort } from "./pipeline/programs/evaluate/protocol.ts";
export type { Unanswered } from "./pipeline/programs/evaluate/store.ts";
export type { Row } from "./pipeline/programs/evaluate/table.ts";
export { methods, trainable } from "./pipeline/programs/methods.ts";
export type { StateFiles } from "./pipeline/programs/state_files.ts";
export {
  type Answer,
  type AnswerFigures,
  type HeldOutFigures,
  measureHeldOut as evaluateHeldOut,
} from "./pipeline/programs/held_out_figures.ts";
export {
  averagedWeights,
  createTrainState,
  type PendingRows,
  type TrainState,
} from "./pipeline/programs/train_state.ts";
export { decodeRunConfig, type Overrides, type RunConfig } from "./pipeline/programs/run_config.ts";
export { metaTrain, type RunResult } from "./pipeline/programs/meta_train.ts";
export {
  type Person,
  type PersonKind,
  type RasterizerSettings,
} from "./pipeline/programs/person.ts";
export { loadPerson, savePerson } from "./pipeline/programs/person_file.ts";
export { loadModel, type TrainedModel } from "./pipeline/programs/trained_model.ts";
export { readSources, type SourceOptions } from "./pipeline/programs/sources.ts";
export { embedPerson, type PersonOptions } from "./pipeline/programs/embed.ts";
export {
  type FewShotInput,
  fineTune,
  type FineTuneOptions,
} from "./pipeline/programs/fine_tune.ts";
export { type FewShotStart, paperStart } from "./pipeline/programs/few_shot_start.ts";
export type { Look } from "./pipeline/programs/few_shot_watch.ts";
export { exactUpdates, type FineTuning, fineTunings, leastUpdates } from "./models/fine_tuning.ts";
export {
  type KernelStorage,
  kernelStorages,
  openPerson,
  openPersonIn,
  type PersonRenderer,
  renderLandmarks,
  renderMaps,
} from "./pipeline/programs/render.ts";

// Driving: motion as landmark tracks, retargeting, films.
export {
  holdLostFace,
  type LandmarkTrack,
  readTrack,
  type WholeTrack,
  writeTrack,
} from "./datasets/track/landmark_track.ts";
export { type SmoothOptions, smoothTrack } from "./datasets/track/smooth.ts";
export {
  chooseReference,
  type Reference,
  retarget,
  type RetargetName,
} from "./datasets/track/retarget.ts";
export { geometryFit } from "./datasets/track/fit.ts";
export { type SyntheticFilm, syntheticTrack } from "./datasets/track/synthetic_driver.ts";
export type { Sound } from "./datasets/video/sound.ts";
export type { VideoDriverError } from "./datasets/track/video_driver.ts";
export {
  type Driver,
  type DriverError,
  type DriverOptions,
  openDriver,
} from "./pipeline/programs/open_driver.ts";
export { drive } from "./pipeline/programs/drive.ts";
export type {
  DriveError,
  DriveNeeds,
  DriveOptions,
  DriveResult,
} from "./pipeline/programs/drive_options.ts";
export {
  rankDrivers,
  type RankedDriver,
  type RankError,
  type Ranking,
  type RankOptions,
} from "./pipeline/programs/rank_drivers.ts";

// Metrics.
export { wilsonInterval } from "./pipeline/metrics/binomial.ts";
export { ssim } from "./pipeline/metrics/ssim.ts";
export { meanAbsoluteError } from "./pipeline/metrics/pixels.ts";
export { landmarkError } from "./pipeline/metrics/landmarks.ts";
export { csim, type Vector } from "./pipeline/metrics/csim.ts";
export {
  arcFaceIdentity,
  faceApiIdentity,
  type IdentityNetwork,
  identityProblems,
  mobileFaceIdentity,
} from "./pipeline/metrics/identity.ts";
export { type FeatureExtractor, inceptionFeatures } from "./pipeline/metrics/fid.ts";
export { lpipsDistance, type PerceptualDistance } from "./pipeline/metrics/lpips.ts";
export { areaUnderCurve } from "./pipeline/metrics/roc.ts";
export { frechetDistance, kernelDistance } from "./pipeline/metrics/frechet.ts";
export {
  bootstrapInterval,
  type BootstrapOptions,
  type Interval,
} from "./pipeline/metrics/bootstrap.ts";
export { leaveOutInterval, type LeaveOutOptions } from "./pipeline/metrics/leave_out.ts";

// Files.
export {
  type HostTensor,
  type HostTensors,
  readSafetensors,
  type Safetensors,
  writeSafetensors,
} from "./pipeline/core/safetensors.ts";
export { accounted, type Ledger, type Left, makeLedger } from "./pipeline/core/ledger.ts";
