/**
 * One `AbortSignal` stops a run; here it becomes a value.
 *
 * @module
 */
import type { Aborted } from "./errors.ts";

const isAborted = (value: unknown): value is Aborted =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === "Aborted";

/** Why a signal was aborted: the {@link Aborted} value it carries, or one made of its reason. */
export const abortedBy = (signal: AbortSignal): Aborted => {
  const reason: unknown = signal.reason;
  if (isAborted(reason)) return reason;
  return { _tag: "Aborted", reason: reason instanceof Error ? reason.message : String(reason) };
};
