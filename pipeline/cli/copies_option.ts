/**
 * The option of every command that fine-tunes: how many moved copies of the photos there are.
 *
 * @module
 */
import type { Option } from "./options.ts";

/** `--copies N`. */
export const copiesOption: Option = {
  name: "copies",
  value: "N",
  help: "moved copies of the photos to fine-tune on beside them (the preset's; the paper had 0)",
  numeric: true,
};
