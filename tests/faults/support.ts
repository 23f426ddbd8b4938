/** What tests of faults share. */
import { fileURLToPath } from "node:url";

/** Settings of the smallest run that there is, as options. */
export const least = [
  "--config",
  fileURLToPath(new URL("./least.jsonc", import.meta.url)),
] as const;
