/**
 * What a video file holds, asked of ffprobe before anything is decoded.
 *
 * @module
 */
import { E, F, t, TE } from "../../pipeline/core/fp.ts";
import { abortedBy } from "../../pipeline/core/abort.ts";
import type { Err, RejectReason } from "../../pipeline/core/errors.ts";
import { fileProblem, notAFile } from "../../pipeline/core/files.ts";
import { collect } from "./process.ts";
import type { VideoTools } from "./tools.ts";

/** The video of a file as it is shown: upright, with square pixels. */
export interface VideoInfo {
  readonly width: number;
  readonly height: number;
  /** Frames that the file really holds, counted, not as its header says. */
  readonly frames: number;
  /** The mean rate, 0 where the file does not tell. */
  readonly framesPerSecond: number;
}

/** Where a file may be read from and as what: no network, no playlists that name other files. */
export const SAFE_INPUT: readonly string[] = [
  "-protocol_whitelist",
  "file,pipe",
  "-format_whitelist",
  "mov,matroska,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,flv,asf,ogg,ivf,mjpeg,mxf,gif,nut,rm,dv",
];

/** A path as an input argument: never an option, a protocol or an expression. */
export const asInput = (path: string): string => `file:${path}`;

/** The error of one clip. */
export const badClip = (
  key: string,
  reason: RejectReason,
  message: string,
): Err<"BadSample"> => ({ _tag: "BadSample", key, reason, message });

/** Pictures of more pixels are refused: 8k video has 33 million. */
const MAX_PIXELS = 100e6;

const Probed = t.type({
  streams: t.array(t.intersection([
    t.type({ width: t.number, height: t.number, nb_read_packets: t.string }),
    t.partial({
      nb_frames: t.string,
      avg_frame_rate: t.string,
      sample_aspect_ratio: t.string,
      tags: t.partial({ rotate: t.string }),
      side_data_list: t.array(t.partial({ rotation: t.number })),
    }),
  ])),
  format: t.type({ format_name: t.string }),
});
type Probed = t.TypeOf<typeof Probed>;

const ENTRIES = "stream=width,height,nb_frames,nb_read_packets,avg_frame_rate," +
  "sample_aspect_ratio:stream_tags=rotate:stream_side_data=rotation:format=format_name";

const ratio = (text: string | undefined): number => {
  const [above, below] = (text ?? "").split(/[/:]/).map(Number);
  const value = (above ?? 0) / (below ?? 1);
  return Number.isFinite(value) && value > 0 ? value : 0;
};

/** The shown size: stored pixels made square, then turned upright. */
const shown = (stream: Probed["streams"][number]): Omit<VideoInfo, "frames"> => {
  const aspect = ratio(stream.sample_aspect_ratio) || 1;
  const width = Math.max(1, Math.round(stream.width * Math.max(1, aspect)));
  const height = Math.max(1, Math.round(stream.height / Math.min(1, aspect)));
  const turn = stream.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation ??
    Number(stream.tags?.rotate ?? 0);
  const sideways = Math.abs(turn) % 180 === 90;
  return {
    width: sideways ? height : width,
    height: sideways ? width : height,
    framesPerSecond: ratio(stream.avg_frame_rate),
  };
};

/**
 * Probes a video file. Errors: `BadSample` "unreadable" (not a video, cut off in the middle, more
 * than 100 megapixels) or "no video"; `Aborted`.
 */
export const probeVideo = (
  tools: VideoTools,
  path: string,
  key: string,
  signal: AbortSignal,
): TE.TaskEither<Err<"BadSample" | "Aborted">, VideoInfo> => {
  const unreadable = (message: string) => E.left(badClip(key, "unreadable", message));
  const ask = async (extra: readonly string[]) =>
    await collect(
      tools.ffprobe,
      [
        ...["-v", "error", "-of", "json", "-select_streams", "V:0", "-count_packets"],
        ...["-show_entries", ENTRIES, ...SAFE_INPUT, ...extra, "-i", asInput(path)],
      ],
      signal,
      1 << 20,
    );
  return async () => {
    try {
      const stat = await Deno.stat(path), other = notAFile(stat);
      if (other !== undefined) return unreadable(`${other}, expected a video file`);
      if (stat.size === 0) return unreadable("it has 0 bytes, expected a video file");
    } catch (cause) {
      return unreadable(`${fileProblem(cause)}, expected a readable file`);
    }
    const { text, ending } = await ask([]);
    if (signal.aborted) return E.left(abortedBy(signal));
    if (ending.stalled) return unreadable("ffprobe gave no answer for a minute");
    if (!ending.success || text === undefined) {
      return unreadable(`ffprobe says "${ending.complaint}", expected a video file`);
    }
    const probed = Probed.decode(F.pipe(E.tryCatch(() => JSON.parse(text), String), E.toUnion));
    if (E.isLeft(probed)) return unreadable("ffprobe's answer is not what was asked for");
    const [stream] = probed.right.streams;
    if (stream === undefined) {
      return E.left(badClip(key, "no video", "it holds no picture stream, expected one"));
    }
    if (!(stream.width * stream.height <= MAX_PIXELS)) {
      return unreadable(`its pictures are ${stream.width}×${stream.height}, too large`);
    }
    const frames = Number(stream.nb_read_packets);
    const promised = Number(stream.nb_frames ?? 0);
    if (frames < promised && /\bmov\b/.test(probed.right.format.format_name)) {
      // Fewer frames than the header says: an edit list hides them, or the end is missing. A
      // decoder does not tell (it exits 0), so count again without the edit list.
      const again = await ask(["-ignore_editlist", "1"]);
      const whole = /"nb_read_packets": "(\d+)"/.exec(again.text ?? "");
      if (signal.aborted) return E.left(abortedBy(signal));
      const held = Number(whole?.[1] ?? 0);
      if (held < promised) {
        return unreadable(`its end is missing: ${held} of ${promised} frames are there`);
      }
    }
    return E.right({ ...shown(stream), frames });
  };
};
