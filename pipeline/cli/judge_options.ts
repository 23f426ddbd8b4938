/**
 * The options that say which networks judge, for every command that evaluates.
 *
 * @module
 */
import { path, text } from "../core/config.ts";
import type { Err } from "../core/errors.ts";
import { E } from "../core/fp.ts";
import type { JudgeChoice } from "../programs/evaluate/judges.ts";
import type { Option } from "./options.ts";

/** Which networks judge. */
export const judgeOptions: readonly Option[] = [
  {
    name: "identity",
    value: "NAME=FILE",
    help: "the recogniser of CSIM: mobileface or arcface with its weights (face-api)",
  },
  {
    name: "inception",
    value: "FILE",
    help: "weights of Inception: FID is computed with them (no FID)",
  },
  {
    name: "lpips",
    value: "FILE",
    help: "weights of LPIPS: the column is there with them (no LPIPS)",
  },
];

/** How the values of {@link judgeOptions} are decoded. */
export const judgeSettings = { identity: text, inception: path, lpips: path };

/** The values of {@link judgeOptions}, where they are given. */
export interface AskedJudges {
  readonly identity?: string;
  readonly inception?: string;
  readonly lpips?: string;
}

/** Which networks judge; `Config` where the recogniser is none that is known. */
export const judgesOf = (
  { identity, inception, lpips }: AskedJudges,
): E.Either<Err<"Config">, JudgeChoice> => {
  const given = { ...(inception && { inception }), ...(lpips && { lpips }) };
  if (identity === undefined || identity === "face-api") return E.right(given);
  const [name, ...rest] = identity.split("="), path = rest.join("=");
  if ((name === "mobileface" || name === "arcface") && path !== "") {
    return E.right({ ...given, identity: { name, path } });
  }
  const problem = `Cannot compute CSIM with --identity ${identity}: expected face-api, or ` +
    "mobileface or arcface with a file (mobileface=weights.safetensors)";
  return E.left({ _tag: "Config", problems: [problem] });
};
