/** Saves N checkpoints, says so, and waits to be killed before it rotates: `RUN N`. */
import { openRun } from "../../pipeline/programs/checkpoint/run_folder.ts";
import { rotateCheckpoints, saveCheckpoint } from "../../pipeline/programs/checkpoint/store.ts";
import { config, contentOf, rightOf, testEnv } from "../pipeline/checkpoint/bench.ts";

const [path = "", count = "1"] = Deno.args;
const env = testEnv();
const run = rightOf(await openRun({ path, config, resume: false })(env)());
for (let step = 1; step <= Number(count); step++) {
  rightOf(await saveCheckpoint(run)(contentOf(step, 1000))(env)());
}
Deno.stdout.writeSync(new TextEncoder().encode("saved\n"));
await new Promise((resume) => setTimeout(resume, 60_000));
rightOf(await rotateCheckpoints(1)(run)({})());
