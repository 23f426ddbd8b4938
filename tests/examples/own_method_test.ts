/** The example's own method does what it says and stands in the table beside the others. */
import assert from "node:assert/strict";
import { compare, follow } from "../../examples/own_method.ts";
import { type Frame, makeEnv, makeImage, syntheticHeads } from "../../mod.ts";
import { inFolder } from "../e2e/support.ts";
import { expectRight, onBackend } from "../models/support.ts";
import { writeRun } from "./run.ts";

/** A white point on black, the landmarks around it. */
const point = (x: number, y: number, spread: number): Frame => {
  const image = makeImage(16, 16);
  image.data.set([255, 255, 255], 3 * (y * 16 + x));
  const landmarks = Float32Array.from({ length: 136 }, (_, i) => {
    const side = Math.floor(i / 2) % 2 === 0 ? spread : -spread;
    return (i % 2 === 0 ? x : y) + side;
  });
  return { image, landmarks };
};

Deno.test("examples/own_method.ts: the frame of the same shape moves to the driver's place", () => {
  const sources = [point(3, 4, 1), point(8, 8, 5)];
  assert.deepEqual(
    follow(sources, point(8, 8, 1)),
    point(8, 8, 0).image,
    "shape counts, not place",
  );
  assert.deepEqual(follow(sources, point(3, 4, 5)), point(3, 4, 0).image);
  const [first] = sources;
  assert.ok(first);
  assert.deepEqual(follow(sources, first), first.image, "a source frame is its own answer");
});

Deno.test("examples/own_method.ts: a row of the table beside the run and the other methods", () =>
  inFolder((folder) =>
    onBackend("wasm", async (backend) => {
      const env = makeEnv({ backend, seed: 1 });
      await writeRun(`${folder}/run`, env);
      const before = backend.tensors();
      const heads = syntheticHeads({ size: 16, identities: 6, framesPerVideo: 6, heldOut: 2 });
      const protocol = { shots: [2], people: 2, frames: 1 };
      const report = await expectRight(
        compare(`${folder}/run`, heads, protocol, `${folder}/out`)(env),
      );
      assert.equal(backend.tensors(), before);
      assert.deepEqual(report.unanswered, []);
      const own = report.rows.filter(({ answer }) => answer === "following, moved");
      assert.deepEqual(own.map(({ shots, people, frames }) => [shots, people, frames]), [[
        2,
        2,
        2,
      ]]);
      const answers = new Set(report.rows.map(({ answer }) => answer));
      for (const name of ["headshot, feed-forward", "headshot, fine-tuned", "nearest, copy"]) {
        assert.ok(answers.has(name), name);
      }
      const l1 = (name: string): number =>
        report.rows.find(({ answer }) => answer === name)?.figures.l1.mean ?? NaN;
      assert.ok(l1("following, moved") < l1("headshot, feed-forward"), "nobody trained the run");
      const page = await Deno.readTextFile(`${folder}/out/report.html`);
      assert.ok(page.includes("following, moved"));
    })
  ));
