/**
 * The safetensors format under the name that checkpoints know it by; it lives in `core`, because
 * the frozen networks read it too.
 *
 * @module
 */
export * from "../../core/safetensors.ts";
