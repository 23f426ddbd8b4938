/** A person's file: what it keeps, what it refuses, what it never overwrites. */
import assert from "node:assert/strict";
import { E } from "../../../pipeline/core/fp.ts";
import { embedPerson } from "../../../pipeline/programs/embed.ts";
import { noConsent, type Person } from "../../../pipeline/programs/person.ts";
import {
  checkPersonPath,
  decodePerson,
  encodePerson,
  loadPerson,
  savePerson,
} from "../../../pipeline/programs/person_file.ts";
import { readSafetensors, writeSafetensors } from "../../../pipeline/core/safetensors.ts";
import { inFolder, namesIn } from "../../e2e/support.ts";
import { expectRight, onBackend } from "../../models/support.ts";
import { envOf, framesOf, untrainedModel } from "./few_shot_support.ts";

const withPerson = (test: (person: Person<"embedded">) => Promise<void>): Promise<void> =>
  onBackend("wasm", async (backend) => {
    const env = envOf(backend), trained = await untrainedModel(env);
    const person = embedPerson(trained, { consent: "she said yes" })(await framesOf(3));
    await test(await expectRight(person(env)));
  });

const problemOf = (bytes: Uint8Array<ArrayBuffer>): string => {
  const read = decodePerson(bytes, "ada.safetensors");
  return E.isLeft(read) ? read.left.message : assert.fail("it was taken for a person");
};

Deno.test("a person survives its file, and the same person gives the same bytes", () =>
  withPerson((person) =>
    inFolder(async (folder) => {
      const path = `${folder}/people/ada.safetensors`;
      assert.equal(await expectRight(savePerson(path)(person)), path);
      const read = await expectRight(loadPerson(path));
      assert.deepEqual(read, person);
      assert.deepEqual(encodePerson(read), encodePerson(person));
      assert.equal(read.consent, "she said yes");
      assert.notEqual(read.consent, noConsent);
      assert.equal(read.sources.length, 3);
      assert.deepEqual(await namesIn(`${folder}/people`), ["ada.safetensors"]);
    })
  ));

Deno.test("a person's file is not overwritten unless told", () =>
  withPerson((person) =>
    inFolder(async (folder) => {
      const path = `${folder}/ada.safetensors`;
      await Deno.writeTextFile(path, "mine");
      const refused = await savePerson(path)(person)();
      assert.equal(refused._tag === "Left" && refused.left._tag, "Config");
      assert.equal(await Deno.readTextFile(path), "mine");
      await expectRight(savePerson(path, { overwrite: true })(person));
      assert.deepEqual(await expectRight(loadPerson(path)), person);
      const asFolder = await checkPersonPath(folder, { overwrite: true })();
      assert.ok(asFolder._tag === "Left");
    })
  ));

Deno.test("a damaged person's file, and one of something else, are named and refused", () =>
  withPerson((person) => {
    const whole = encodePerson(person);
    for (const at of [whole.length - 1, whole.length - 5000, whole.length >> 1]) {
      const damaged = Uint8Array.from(whole);
      damaged[at]! ^= 1;
      assert.match(problemOf(damaged), /ada\.safetensors.*(damaged|not finite)/);
    }
    assert.match(problemOf(whole.slice(0, -4)), /cut short/);
    assert.match(problemOf(new Uint8Array(0)), /0 bytes/);
    const read = readSafetensors(whole, "it");
    if (E.isLeft(read)) assert.fail(read.left.message);
    const { tensors, metadata } = read.right;
    assert.match(problemOf(writeSafetensors(tensors)), /no person/);
    const { embedding: _, ...without } = tensors;
    assert.match(problemOf(writeSafetensors(without, metadata)), /embedding is missing/);
    const more = { ...tensors, "G/extra": tensors["embedding"]! };
    assert.match(problemOf(writeSafetensors(more, metadata)), /G\/extra, which no person has/);
    const reworded = { ...metadata, headshotPerson: metadata.headshotPerson!.replace("yes", "no") };
    assert.match(problemOf(writeSafetensors(tensors, reworded)), /damaged/);
    const newer = {
      ...metadata,
      headshotPerson: metadata.headshotPerson!.replace('"format":"1"', '"format":"2"'),
    };
    assert.match(problemOf(writeSafetensors(tensors, newer)), /format/);
    return Promise.resolve();
  }));
