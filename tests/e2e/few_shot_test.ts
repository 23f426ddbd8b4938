/** `embed` and `fine-tune` from a real run folder; bad input ends in one sentence. */
import assert from "node:assert/strict";
import { encodePng } from "../../datasets/codec.ts";
import { makeImage } from "../../pipeline/core/image.ts";
import { loadPerson } from "../../pipeline/programs/person_file.ts";
import { expectRight } from "../models/support.ts";
import { type Ended, inFolder, namesIn, runCli, tiny } from "./support.ts";

const resultOf = ({ stdout }: Ended): Readonly<Record<string, unknown>> => JSON.parse(stdout);

/** A refused command: one sentence, its code, nothing on stdout, no person written. */
const refused = async (
  folder: string,
  args: readonly string[],
  code: number,
  says: RegExp,
): Promise<void> => {
  const before = (await namesIn(folder)).toSorted();
  const ended = await runCli([...args, "--backend", "wasm"], folder);
  assert.equal(ended.code, code, ended.stderr);
  assert.match(ended.stderr, says);
  assert.equal(ended.stderr.trim().split("\n").length, 1, ended.stderr);
  assert.equal(ended.stdout, "");
  assert.deepEqual((await namesIn(folder)).toSorted(), before);
};

Deno.test("a run gives people, embedded and fine-tuned, and bad input is named", () =>
  inFolder(async (folder) => {
    const trained = await runCli(["meta-train", ...tiny, "--steps", "4", "--run", "run"], folder);
    assert.equal(trained.code, 0, trained.stderr);
    const from = ["--run", "run", "--images", "synthetic:1190", "--backend", "wasm", "--json"];

    const embedded = await runCli(["embed", ...from, "--out", "a.safetensors"], folder);
    assert.equal(embedded.code, 0, embedded.stderr);
    assert.equal(resultOf(embedded).kind, "embedded");
    assert.equal(resultOf(embedded).frames, 8);
    const ada = await expectRight(loadPerson(`${folder}/a.safetensors`));
    assert.equal(ada.kind, "embedded");
    assert.match(ada.consent, /not recorded/);

    const more = [
      "--epochs",
      "6",
      "--together",
      "2",
      "--consent",
      "nobody real",
      "--samples",
      "looks",
    ];
    const tuned = await runCli(
      ["fine-tune", ...from, ...more, "--early-stopping", "--out", "b.safetensors"],
      folder,
    );
    assert.equal(tuned.code, 0, tuned.stderr);
    const bob = await expectRight(loadPerson(`${folder}/b.safetensors`));
    assert.equal(bob.kind, "fine-tuned");
    assert.equal(bob.consent, "nobody real");
    assert.equal(bob.model, ada.model);
    assert.ok((await namesIn(`${folder}/looks`)).includes("step-000000.png"));

    await Deno.writeTextFile(`${folder}/torn.jpg`, "not a picture");
    await Deno.writeFile(
      `${folder}/wall.png`,
      await expectRight(encodePng(makeImage(64, 64, [90, 90, 90]))),
    );
    const into = ["--out", "c.safetensors"], images = ["--images", "synthetic:3"];
    const run = ["--run", "run"];
    for (const command of ["embed", "fine-tune"]) {
      await refused(folder, [command, "--run", "none", ...images, ...into], 1, /none.*not exist/);
      await refused(folder, [command, ...run, ...images, "--out", "a.safetensors"], 2, /exists/);
    }
    await refused(folder, ["embed", ...run, ...into], 2, /images is missing/);
    await refused(
      folder,
      ["embed", ...run, ...into, "--images", "no.jpg"],
      1,
      /no\.jpg.*not exist/,
    );
    await refused(folder, ["embed", ...run, ...into, "--images", "torn.jpg"], 1, /torn\.jpg/);
    await refused(
      folder,
      ["embed", ...run, ...into, "--images", "wall.png"],
      1,
      /wall\.png.*no face/,
    );
    await refused(
      folder,
      ["embed", ...run, ...into, "--images", "synthetic:x"],
      2,
      /synthetic:0 to/,
    );
    await refused(
      folder,
      ["fine-tune", ...run, ...into, ...images, "--epochs", "0"],
      2,
      /epochs is 0/,
    );
  }));
