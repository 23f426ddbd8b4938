/**
 * A process that saves checkpoint after checkpoint, to be killed: `saver.ts RUN FLOATS [resume]`.
 * Says "saved N" after each; "failed …" where it cannot, and then goes on.
 */
import { E } from "../../../pipeline/core/fp.ts";
import { openRun } from "../../../pipeline/programs/checkpoint/run_folder.ts";
import { rotateCheckpoints, saveCheckpoint } from "../../../pipeline/programs/checkpoint/store.ts";
import { latestCheckpoint } from "../../../pipeline/programs/checkpoint/load.ts";
import { config, contentOf, rightOf, testEnv } from "./bench.ts";

const say = (line: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
};
const [path = "", floats = "1", resume] = Deno.args;
const env = testEnv();
const opened = await openRun({ path, config, resume: resume !== undefined })(env)();
if (E.isLeft(opened)) {
  say(`refused ${JSON.stringify(opened.left)}`);
  Deno.exit(1);
}
const run = opened.right;
const latest = rightOf(await latestCheckpoint(path)(env)());
say("opened");
for (let step = (latest?.meta.step ?? 0) + 1;; step++) {
  const saved = await saveCheckpoint(run)(contentOf(step, Number(floats)))(env)();
  say(E.isRight(saved) ? `saved ${step}` : `failed ${saved.left.message}`);
  if (E.isLeft(saved)) break;
  rightOf(await rotateCheckpoints(2)(run)({})());
}
run[Symbol.dispose]();
