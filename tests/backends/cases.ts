/** The cases of the conformance suite: every operation of `backends/ops.ts`, odd sizes and edges. */
import type { Case } from "./conformance.ts";
import { convolutions, norms, resampling } from "./cases_network.ts";
import { pixelwise, reductions, spectral, stopped, updates } from "./cases_training.ts";
export { nonFiniteCases, stockCases } from "./cases_stock.ts";

/** Every operation of `backends/ops.ts`. */
export const operationCases: readonly Case[] = [
  ...convolutions,
  ...norms,
  ...resampling,
  ...spectral,
  ...reductions,
  ...pixelwise,
  ...updates,
  stopped,
];

/** One case of each kind: for what is run again and again. */
export const oneOfEach: readonly Case[] = [
  convolutions,
  norms,
  resampling,
  resampling.slice(1),
  spectral,
  spectral.slice(1),
  reductions,
  pixelwise,
  updates,
].flatMap((kind) => kind.slice(0, 1));
