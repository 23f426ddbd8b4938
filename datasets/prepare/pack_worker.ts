/**
 * The worker side of `prepare_folder.ts`: does one clip at a time, with face networks of its own.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import type { Clip } from "../video/discover.ts";
import { prepareClip, type PrepareFigures, type PrepareSettings } from "../video/prepare_clip.ts";
import type { VideoTools } from "../video/tools.ts";
import type { StopRequest } from "../video/worker_pool.ts";
import { type PackSettings, polishClip, writePacked, writeRejected } from "./pack_clip.ts";

/** A clip to pack, and where the result goes. */
export interface PackRequest {
  readonly kind: "pack";
  readonly clip: Clip;
  readonly tools: VideoTools | undefined;
  readonly prepare: PrepareSettings;
  readonly pack: PackSettings;
  /** The piece and the record without their extensions. */
  readonly target: string;
}

/** The figures of a clip that is done. */
export interface PackFigures extends PrepareFigures {
  /** Frames in the piece. */
  readonly packed: number;
  /** Smoothing, looking for blur and repetition. */
  readonly polishSeconds: number;
  /** Encoding, packing, writing. */
  readonly encodeSeconds: number;
}

/** What can go wrong with a clip, or with everything. */
export type PackError = Err<"BadSample" | "Aborted" | "Backend" | "Data">;

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<PackRequest | StopRequest>) => void;
  postMessage: (reply: E.Either<PackError, PackFigures>) => void;
};
const stopping = new AbortController();
let analyzer: Promise<E.Either<Err<"Backend">, FaceAnalyzer>> | undefined;

const seconds = (since: number): number => (performance.now() - since) / 1000;

const pack = (request: PackRequest): TE.TaskEither<PackError, PackFigures> => {
  const { clip, tools, prepare, pack: settings, target } = request;
  const { signal } = stopping;
  return F.pipe(
    prepareClip(() => analyzer ??= createFaceAnalyzer()(), tools, clip, prepare, signal),
    TE.flatMap((prepared): TE.TaskEither<PackError, PackFigures> => {
      const began = performance.now();
      return F.pipe(
        TE.fromEither(polishClip(clip.key, prepared, settings.minFrames)),
        TE.flatMap((polished): TE.TaskEither<PackError, PackFigures> => {
          const polishSeconds = seconds(began), encoding = performance.now();
          return F.pipe(
            writePacked(target, clip, polished, settings),
            TE.map((): PackFigures => ({
              ...prepared.figures,
              packed: polished.frames.length,
              polishSeconds,
              encodeSeconds: seconds(encoding),
            })),
          );
        }),
      );
    }),
    TE.orElse((error): TE.TaskEither<PackError, PackFigures> =>
      error._tag !== "BadSample" ? TE.left(error) : F.pipe(
        writeRejected(target, error),
        TE.flatMap((): TE.TaskEither<PackError, PackFigures> => TE.left(error)),
      )
    ),
  );
};

scope.onmessage = async ({ data: request }) => {
  if (request.kind === "stop") stopping.abort();
  else scope.postMessage(await pack(request)());
};
