/**
 * Options as the decoders of settings see them.
 *
 * @module
 */
import { type Codec, refined } from "../core/config.ts";

/** A switch that was given. */
export const yes: Codec<true> = refined("a switch", (value): value is true => value === true);
