/**
 * Finds ffmpeg and ffprobe: on the path, or else the binaries that npm packages carry (about
 * 50 MB, fetched by this function at that moment and never before).
 *
 * @module
 */
import { TE } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";

/** The two programs, ready to run. */
export interface VideoTools {
  readonly ffmpeg: string;
  readonly ffprobe: string;
  /** The arguments that pass frames on as they come, without repeating or dropping any. */
  readonly everyFrame: readonly string[];
}

/** Packages that carry a binary inside; nothing is run at their installation. */
const CARRIERS: Readonly<Record<string, { readonly ffmpeg: string; readonly ffprobe: string }>> = {
  "linux-x86_64": { ffmpeg: "linux-x64@4.1.0", ffprobe: "linux-x64@5.2.0" },
  "linux-aarch64": { ffmpeg: "linux-arm64@4.1.4", ffprobe: "linux-arm64@5.2.0" },
  "darwin-x86_64": { ffmpeg: "darwin-x64@4.1.0", ffprobe: "darwin-x64@5.1.0" },
  "darwin-aarch64": { ffmpeg: "darwin-arm64@4.1.5", ffprobe: "darwin-arm64@5.0.1" },
  "windows-x86_64": { ffmpeg: "win32-x64@4.1.0", ffprobe: "win32-x64@5.1.0" },
};

const runs = async (program: string, args: readonly string[]): Promise<boolean> => {
  try {
    const { success } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.PermissionDenied) {
      return false;
    }
    throw cause;
  }
};

const carried = async (tool: "ffmpeg" | "ffprobe"): Promise<string> => {
  const carrier = CARRIERS[`${Deno.build.os}-${Deno.build.arch}`];
  if (carrier === undefined) {
    throw new Error(`no package carries it for ${Deno.build.os} on ${Deno.build.arch}`);
  }
  // Not a literal: a literal would be fetched with the module graph, whether needed or not.
  const manifest = `npm:@${tool}-installer/${carrier[tool]}/package.json`;
  await import(manifest, { with: { type: "json" } });
  const name = Deno.build.os === "windows" ? `${tool}.exe` : tool;
  const url = new URL(name, import.meta.resolve(manifest));
  const path = decodeURIComponent(url.pathname).replace(/^\/(?=[A-Za-z]:)/, "");
  // What the package's own install script does, which Deno does not run.
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o755);
  return path;
};

const locate = async (tool: "ffmpeg" | "ffprobe"): Promise<string> =>
  await runs(tool, ["-version"]) ? tool : await carried(tool);

const find = async (): Promise<VideoTools> => {
  const [ffmpeg, ffprobe] = [await locate("ffmpeg"), await locate("ffprobe")];
  const trial = ["-v", "quiet", "-f", "lavfi", "-i", "nullsrc", "-frames:v", "1"];
  // -vsync is gone from new versions, -fps_mode unknown to those before 5.1.
  const modern = await runs(ffmpeg, [...trial, "-fps_mode", "passthrough", "-f", "null", "-"]);
  return { ffmpeg, ffprobe, everyFrame: [modern ? "-fps_mode" : "-vsync", "passthrough"] };
};

/**
 * Finds the video tools; it takes a moment, so do it once. Error: `ToolMissing` where they are
 * neither on the path nor to be had from npm.
 */
export const findVideoTools = (): TE.TaskEither<Err<"ToolMissing">, VideoTools> =>
  TE.tryCatch(find, (cause) => ({
    _tag: "ToolMissing",
    tool: "ffmpeg",
    message: `Cannot read video: ffmpeg and ffprobe are not on the path, and the npm packages ` +
      `that carry them cannot be used (${
        cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
      }), expected one of the two; on Debian: apt install ffmpeg`,
  }));
