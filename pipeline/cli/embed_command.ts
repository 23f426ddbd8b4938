/**
 * `deno task embed`.
 *
 * @module
 */
import { decodeConfig, strict } from "../core/config.ts";
import type { PipelineError } from "../core/errors.ts";
import { E, F, RTE } from "../core/fp.ts";
import type { Command } from "./command.ts";
import { settingsOf } from "./settings.ts";
import {
  embedFrom,
  fewShotOptions,
  keepPerson,
  lastOptions,
  optionalCodecs,
  type PersonResult,
  personText,
  requiredCodecs,
} from "./few_shot_options.ts";
import { runOnBackend } from "./run_on_backend.ts";

const options = [...fewShotOptions, ...lastOptions];
const settingsCodec = strict(requiredCodecs, optionalCodecs);

/** The command. */
export const embedCommand: Command = {
  name: "embed",
  about: "Makes a person from photos at once, feed-forward (section 3.3, equation 7).",
  options,
  example: "deno task embed --run runs/first --images ada.jpg --out ada.safetensors",
  run: async (parsed) => {
    const decoded = decodeConfig(settingsCodec, "the options")(settingsOf(options, parsed));
    if (E.isLeft(decoded)) return decoded;
    const settings = decoded.right, since = performance.now();
    const made: E.Either<PipelineError, PersonResult> = await runOnBackend(
      settings.backend ?? "auto",
      "Stopping: nothing is written",
      F.pipe(
        embedFrom(settings),
        RTE.flatMap(({ person }) => keepPerson(settings, since)(person)),
      ),
    );
    return E.map((result: PersonResult) => ({ json: result, text: personText(result) }))(made);
  },
};
