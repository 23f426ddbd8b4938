/** The example makes a film of a person, from a synthetic one and from pictures. */
import assert from "node:assert/strict";
import { fewShot } from "../../examples/few_shot.ts";
import { decodeImage, makeEnv } from "../../mod.ts";
import { inFolder, namesIn } from "../e2e/support.ts";
import { expectRight, onBackend } from "../models/support.ts";
import { writeRun } from "./run.ts";

Deno.test("examples/few_shot.ts: a synthetic person, fine-tuned and driven, frees its tensors", () =>
  inFolder((folder) =>
    onBackend("wasm", async (backend) => {
      const events: string[] = [];
      const env = makeEnv({ backend, seed: 1, emit: ({ _tag }) => events.push(_tag) });
      await writeRun(`${folder}/run`, env);
      const before = backend.tensors();
      const film = { driver: "synthetic:1156/1", out: `${folder}/film`, frames: 3 };
      const made = await expectRight(fewShot(`${folder}/run`, ["synthetic:1152"], film)(env));
      assert.equal(backend.tensors(), before);
      assert.equal(made.frames, 3);
      assert.ok(events.includes("StepDone"), "it was not fine-tuned");
      const pictures = (await namesIn(`${folder}/film`)).filter((name) => name.endsWith(".png"));
      assert.equal(pictures.length, 3);
      const [first = ""] = pictures;
      const bytes = await Deno.readFile(`${folder}/film/${first}`);
      const picture = await expectRight(decodeImage(bytes, first));
      assert.deepEqual([picture.width, picture.height], [16, 16]);
    })
  ));

Deno.test("examples/few_shot.ts: a photo that is not there ends in one sentence", () =>
  inFolder((folder) =>
    onBackend("wasm", async (backend) => {
      const env = makeEnv({ backend });
      await writeRun(`${folder}/run`, env);
      const film = { driver: "synthetic:1156/1", out: `${folder}/film` };
      const ended = await fewShot(`${folder}/run`, [`${folder}/no.jpg`], film)(env)();
      assert.ok(ended._tag === "Left");
      assert.match(JSON.stringify(ended.left), /no\.jpg.*does not exist/);
    })
  ));
