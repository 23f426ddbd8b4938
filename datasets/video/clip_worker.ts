/**
 * The worker side of `clip_pool.ts`: prepares one clip at a time, with face networks of its own.
 *
 * @module
 */
import { E, F, TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { createFaceAnalyzer, type FaceAnalyzer } from "../../backends/face.ts";
import { writeReject } from "./cache_file.ts";
import { writeClip } from "./clip_file.ts";
import type { Clip } from "./discover.ts";
import { prepareClip, type PrepareFigures, type PrepareSettings } from "./prepare_clip.ts";
import type { VideoTools } from "./tools.ts";

/** A clip to prepare and where the result goes; or the wish to stop. */
export type ClipRequest =
  | {
    readonly kind: "prepare";
    readonly clip: Clip;
    readonly tools: VideoTools | undefined;
    readonly settings: PrepareSettings;
    /** The cache file without its extension. */
    readonly target: string;
  }
  | { readonly kind: "stop" };

/** The figures of a clip whose file is written. */
export interface PreparedFigures extends PrepareFigures {
  /** Frames in the file. */
  readonly usable: number;
  /** Encoding and writing. */
  readonly writeSeconds: number;
}

/** What became of a clip: its file is written, or its rejection. */
export type ClipReply = E.Either<
  Err<"BadSample" | "Aborted" | "Backend" | "Data">,
  PreparedFigures
>;

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<ClipRequest>) => void;
  postMessage: (reply: ClipReply) => void;
};
const stopping = new AbortController();
let analyzer: Promise<E.Either<Err<"Backend">, FaceAnalyzer>> | undefined;

const prepare = (
  { clip, tools, settings, target }: Extract<ClipRequest, { readonly kind: "prepare" }>,
) =>
  F.pipe(
    prepareClip(
      () => analyzer ??= createFaceAnalyzer()(),
      tools,
      clip,
      settings,
      stopping.signal,
    ),
    TE.flatMap(({ frames, figures }) => {
      const start = performance.now();
      return F.pipe(
        writeClip(`${target}.safetensors`, settings.size, frames),
        TE.map((): PreparedFigures => ({
          ...figures,
          usable: frames.length,
          writeSeconds: (performance.now() - start) / 1000,
        })),
      );
    }),
    TE.orElse((error) =>
      F.pipe(
        error._tag === "BadSample" ? writeReject(`${target}.json`, error) : TE.right(undefined),
        TE.flatMap((): TE.TaskEither<typeof error | Err<"Data">, PreparedFigures> =>
          TE.left(error)
        ),
      )
    ),
  );

scope.onmessage = async ({ data: request }) => {
  if (request.kind === "stop") stopping.abort();
  else scope.postMessage(await prepare(request)());
};
