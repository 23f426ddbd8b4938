/**
 * Meta-training on data that reach out while they are read: for the network, for a module from
 * there, for a library of the system, for a secret: `RUN URL`. Prints what each attempt came to.
 */
import { createWasmBackend } from "../../backends/wasm.ts";
import type { Dataset } from "../../datasets/dataset.ts";
import { syntheticHeads } from "../../datasets/synthetic.ts";
import { makeEnv } from "../../pipeline/core/env.ts";
import { E } from "../../pipeline/core/fp.ts";
import { metaTrain } from "../../pipeline/programs/meta_train.ts";
import { decodeRunConfig } from "../../pipeline/programs/run_config.ts";

const [run = "", url = ""] = Deno.args;
const { hostname, port } = new URL(url);
const attempts: Readonly<Record<string, () => unknown>> = {
  fetch: () => fetch(url),
  connect: () => Deno.connect({ hostname, port: Number(port) }),
  listen: () => Deno.listen({ hostname, port: 0 }),
  import: () => import(`${url}/module.ts`),
  library: () => Deno.dlopen("libc.so.6", {}),
  environment: () => Deno.env.get("HOME"),
};
const outcomes = new Map<string, string>();
const reachOut = async (): Promise<void> => {
  for (const [name, attempt] of Object.entries(attempts)) {
    const outcome = await Promise.resolve().then(attempt).then(
      () => "done",
      (cause: unknown) => cause instanceof Error ? `${cause.name}: ${cause.message}` : "thrown",
    );
    outcomes.set(name, outcome);
  }
};

const heads = syntheticHeads({ size: 16 });
const dataset: Dataset = {
  ...heads,
  read: (sequence, numbers) => async () => {
    if (outcomes.size === 0) await reachOut();
    return await heads.read(sequence, numbers)();
  },
};
const config = decodeRunConfig({
  ...{ preset: "test-16", backend: "wasm", run, watchEvery: 1000, gridEvery: 1000 },
  judge: { people: 2, shots: 1, targets: 1 },
  training: { steps: 1, batch: 1, shots: 1 },
});
const backend = await createWasmBackend()();
if (E.isLeft(config) || E.isLeft(backend)) throw new Error("Cannot start");
const ended = await metaTrain(config.right, { dataset })(makeEnv({ backend: backend.right }))();
await backend.right.close();
const result = { trained: E.isRight(ended), outcomes: Object.fromEntries(outcomes) };
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result)));
