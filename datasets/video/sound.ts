/**
 * What a video file holds besides pictures: its sound, and when either begins.
 *
 * @module
 */
import { E, F, t, TE } from "../../pipeline/core/fp.ts";
import { abortedBy } from "../../pipeline/core/abort.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { asInput, badClip, SAFE_INPUT } from "./probe.ts";
import { collect } from "./process.ts";
import type { VideoTools } from "./tools.ts";

/** The sound of a video file. */
export interface Sound {
  /** The file. */
  readonly path: string;
  /** Its first sound stream as ffprobe calls it: "aac". */
  readonly codec: string;
  /** By how many seconds the pictures begin after the file does; sound before them is left out. */
  readonly skip: number;
}

/** Times and sound of a video file. */
export interface Timing {
  /** Seconds that the file lasts, 0 where it does not tell. */
  readonly duration: number;
  readonly sound: Sound | undefined;
}

const Probed = t.type({
  streams: t.array(t.intersection([
    t.type({ codec_type: t.string }),
    t.partial({ codec_name: t.string, start_time: t.string }),
  ])),
  format: t.partial({ duration: t.string, start_time: t.string }),
});

const ENTRIES = "stream=codec_type,codec_name,start_time:format=duration,start_time";

const secondsOf = (text: string | undefined): number => {
  const value = Number(text ?? 0);
  return Number.isFinite(value) ? value : 0;
};

/** Asks for the sound of a file that {@link probeVideo} accepted. Errors: as there. */
export const probeTiming =
  (tools: VideoTools, path: string, key: string, signal: AbortSignal): TE.TaskEither<
    Err<"BadSample" | "Aborted">,
    Timing
  > =>
  async () => {
    const { text, ending } = await collect(
      tools.ffprobe,
      ["-v", "error", "-of", "json", "-show_entries", ENTRIES, ...SAFE_INPUT, "-i", asInput(path)],
      signal,
      1 << 20,
    );
    if (signal.aborted) return E.left(abortedBy(signal));
    const json = F.pipe(E.tryCatch((): unknown => JSON.parse(text ?? ""), String), E.toUnion);
    const probed = Probed.decode(json);
    if (E.isLeft(probed)) {
      return E.left(badClip(key, "unreadable", `ffprobe says "${ending.complaint}"`));
    }
    const { streams, format } = probed.right;
    const audio = streams.find(({ codec_type }) => codec_type === "audio");
    const video = streams.find(({ codec_type }) => codec_type === "video");
    const skip = Math.max(0, secondsOf(video?.start_time) - secondsOf(format.start_time));
    return E.right({
      duration: secondsOf(format.duration),
      sound: audio && { path, codec: audio.codec_name ?? "unknown", skip },
    });
  };
