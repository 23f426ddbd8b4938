/**
 * Keeps measured plans in a file, by adapter: a program that runs again on the same GPU measures
 * nothing, and computes with the same plans.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { E } from "../../pipeline/core/fp.ts";
import type { Err } from "../../pipeline/core/errors.ts";
import { backendFailure } from "../session.ts";
import { nameOf, type Plan, planNamed } from "./plan.ts";
import type { Plans } from "./tuner.ts";

/** What the file holds: names of plans by kernel and shape, by adapter. */
type Content = Readonly<Record<string, Readonly<Record<string, string>>>>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const parse = (text: string): Content | undefined => {
  try {
    const content: unknown = JSON.parse(text);
    const plans = isRecord(content) ? content.plans : undefined;
    const sound = isRecord(plans) &&
      Object.values(plans).every((byShape) =>
        isRecord(byShape) && Object.values(byShape).every((name) => typeof name === "string")
      );
    return sound ? plans as Content : undefined;
  } catch {
    return undefined;
  }
};

const read = async (path: string | URL): Promise<E.Either<Err<"Backend">, Content>> => {
  const fail = (message: string, cause?: unknown) =>
    E.left({
      ...backendFailure("on webgpu", cause),
      message: `Cannot read plans from ${path}: ${message}`,
    });
  try {
    const content = parse(await Deno.readTextFile(path));
    return content
      ? E.right(content)
      : fail("it has something else in it, expected measured plans, or no file");
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return E.right({});
    return fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
};

/**
 * Plans of an adapter; none where there is no file, or no path. Fails with `Backend` where the file cannot be
 * read or has something else in it.
 */
export const readPlans = async (
  path: string | URL | undefined,
  adapter: string,
): Promise<E.Either<Err<"Backend">, Plans>> => {
  if (path === undefined) return E.right(new Map<string, Plan>());
  const content = await read(path);
  if (E.isLeft(content)) return content;
  const known = Object.entries(content.right[adapter] ?? {}).flatMap(([shape, name]) => {
    const plan = planNamed(name);
    return plan ? [[shape, plan] as const] : []; // of another version: measured again
  });
  return E.right(new Map(known));
};

/** Writes the plans of an adapter beside those of others; what cannot be kept is no failure. */
export const writePlans = async (
  path: string | URL,
  adapter: string,
  plans: Plans,
): Promise<void> => {
  const content = await read(path);
  if (E.isLeft(content)) return;
  const own = Object.fromEntries([...plans].map(([shape, plan]) => [shape, nameOf(plan)]));
  const text = JSON.stringify({ plans: { ...content.right, [adapter]: own } }, null, 2);
  const part = path instanceof URL ? new URL(`${path.href}.part`) : `${path}.part`;
  try {
    await Deno.mkdir(dirname(path instanceof URL ? fileURLToPath(path) : path), {
      recursive: true,
    });
    await Deno.writeTextFile(part, text + "\n");
    await Deno.rename(part, path); // never half a file
  } catch {
    // A folder that is read-only: the next program measures again.
  }
};
