/** The account of who keeps tensors. */
import assert from "node:assert/strict";
import { type Tensor, tf } from "../../../backends/tf.ts";
import type { Backend, HasBackend } from "../../../pipeline/core/env.ts";
import type { Err } from "../../../pipeline/core/errors.ts";
import { F, RTE } from "../../../pipeline/core/fp.ts";
import { accounted, makeLedger } from "../../../pipeline/core/ledger.ts";
import { compute, type Owned, upload } from "../../../pipeline/core/owned.ts";
import { andThen, type Stage, tap } from "../../../pipeline/core/stage.ts";
import { expectRight, onBackend } from "../../models/support.ts";

type Made<A> = Stage<HasBackend, Err<"Backend" | "DeviceLost">, A, Owned<{ readonly x: Tensor }>>;

const load: Made<number> = upload("load", (n: number) => ({ x: tf.zeros([n]) }));
const double: Made<Owned<{ readonly x: Tensor }>> = compute(
  "double",
  ({ x }: { readonly x: Tensor }) => ({ x: tf.add(x, x) }),
);
type Fails = Err<"Backend" | "DeviceLost">;

/** A stage that keeps a tensor that nobody owns. */
const careless = <A, B>(stage: Stage<HasBackend, Fails, A, B>): Stage<HasBackend, Fails, A, B> =>
  F.pipe(
    stage,
    tap<HasBackend, Fails, B>(() => ({ backend }) =>
      backend.run("a careless stage", (): Tensor => tf.ones([2]))
    ),
  );

const rounds = async (backend: Backend, leaks: "load" | "double" | "nobody") => {
  const ledger = makeLedger();
  const run = F.pipe(
    accounted(ledger, "load")(leaks === "load" ? careless(load) : load),
    andThen(accounted(ledger, "double")(leaks === "double" ? careless(double) : double)),
  );
  for (let i = 0; i < 5; i++) {
    using _ = await expectRight(run(3)({ backend }));
  }
  return ledger;
};

Deno.test("what a stage keeps beyond its output is counted to it, to no other", () =>
  onBackend("cpu", async (backend) => {
    const before = backend.tensors();
    assert.equal((await rounds(backend, "nobody")).largest(), undefined);
    assert.equal(backend.tensors(), before);
    for (const stage of ["load", "double"] as const) {
      const ledger = await rounds(backend, stage);
      assert.deepEqual(ledger.largest(), { stage, tensors: 5 });
      ledger.clear();
      assert.equal(ledger.largest(), undefined);
    }
  }));

Deno.test("a stage that fails is counted too", () =>
  onBackend("cpu", async (backend) => {
    const ledger = makeLedger();
    const failing = F.pipe(careless(load), andThen(() => RTE.left("no")));
    assert.equal((await accounted(ledger, "failing")(failing)(3)({ backend })())._tag, "Left");
    assert.equal(ledger.largest()?.tensors, 2);
  }));
