/**
 * What measured plans of products are worth on a GPU: a step of meta-learning with the standard
 * plans, then with measured ones, which stay in a file. Prints one JSON object.
 *
 *   deno run -A bench/plans.ts toy-64 plans.json 15
 *
 * @module
 */
import { selectBackend } from "../backends/select.ts";
import { type PresetName, presetNames, presets } from "../models/presets.ts";
import { makeEnv } from "../pipeline/core/env.ts";
import { renderError } from "../pipeline/core/errors.ts";
import { E } from "../pipeline/core/fp.ts";
import { comparable, metaStepSeconds } from "./networks.ts";

const [name = "toy-64", planFile = "plans.json", runs = "15"] = Deno.args;
const preset = presetNames.find((each): each is PresetName => each === name);
if (!preset) throw new Error(`Cannot measure ${name}: expected one of ${presetNames.join(", ")}`);

const effort = { runs: Number(runs), warmUpSeconds: Number(runs) > 3 ? 2 : 0, mostSeconds: 60 };

const stepSeconds = async (
  options: { readonly measurePlans: boolean; readonly planFile?: string },
) => {
  const backend = await selectBackend("webgpu", options)();
  if (E.isLeft(backend)) throw new Error(renderError(backend.left));
  const env = makeEnv({ backend: backend.right });
  const seconds = await metaStepSeconds(
    env,
    comparable(presets[preset], { shots: 8, batch: 1 }),
    effort,
  );
  await backend.right.close();
  return { device: backend.right.device, seconds };
};

const standard = await stepSeconds({ measurePlans: false });
const measured = await stepSeconds({ measurePlans: true, planFile });
const report = {
  preset,
  device: standard.device,
  standardSeconds: standard.seconds,
  measuredSeconds: measured.seconds,
  plans: JSON.parse(await Deno.readTextFile(planFile)).plans,
};
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
