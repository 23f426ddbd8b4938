import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { E, F } from "../../../pipeline/core/fp.ts";
import { compute, mutate, owned, transfer, upload } from "../../../pipeline/core/owned.ts";
import { andThen } from "../../../pipeline/core/stage.ts";
import { fakeBackend, type FakeTensor } from "./fakes.ts";

Deno.test("an owned value is disposed once and not read after", () => {
  let disposed = 0;
  const it = owned(5, (value) => void (disposed += value));
  assert.equal(it.value, 5);
  it[Symbol.dispose]();
  it[Symbol.dispose]();
  assert.equal(disposed, 5);
  assert.throws(() => it.value, /Cannot read an owned value: it was already disposed/);
});

Deno.test("transfer leaves the old handle empty", () => {
  let disposed = 0;
  const first = owned("x", () => void disposed++);
  const second = transfer(first);
  first[Symbol.dispose]();
  assert.equal(disposed, 0);
  assert.throws(() => first.value, /already transferred/);
  assert.throws(() => transfer(first), /already transferred/);
  assert.equal(second.value, "x");
  second[Symbol.dispose]();
  assert.equal(disposed, 1);
});

Deno.test("compute consumes its input, frees intermediates, hands on its output", async () => {
  const { backend, tensor } = fakeBackend();
  const chain = F.pipe(
    upload("make", (n: number) => Array.from({ length: n }, tensor)),
    andThen(
      compute("first", (xs: readonly FakeTensor[]) => (tensor(), { a: tensor(), b: xs.length })),
    ),
    andThen(compute("second", ({ b }: { readonly b: number }) => [tensor(), b] as const)),
  );
  const result = await chain(3)({ backend })();
  assert.ok(E.isRight(result));
  assert.equal(backend.tensors(), 1);
  assert.equal(result.right.value[1], 3);
  result.right[Symbol.dispose]();
  assert.equal(backend.tensors(), 0);
});

Deno.test("compute consumes its input where it fails, and then names the operation", async () => {
  const { backend, tensor } = fakeBackend();
  const input = owned(tensor(), backend.dispose);
  const result = await compute("convolve", () => {
    tensor();
    throw new Error("too big");
  })(input)({ backend })();
  assert.ok(E.isLeft(result) && result.left._tag === "Backend");
  assert.equal(result.left.op, "convolve");
  assert.equal(backend.tensors(), 0);
  assert.throws(() => input.value, /disposed/);
});

Deno.test("compute on a consumed input is a bug, not a failure", async () => {
  const { backend, tensor } = fakeBackend();
  const input = owned(tensor(), backend.dispose);
  const once = compute("once", () => tensor());
  const first = await once(input)({ backend })();
  await assert.rejects(once(input)({ backend })(), /Cannot read an owned value/);
  assert.ok(E.isRight(first));
  assert.equal(backend.tensors(), 1);
});

Deno.test("mutate keeps what the next state shares, frees the rest, and keeps the handle", async () => {
  const { backend, tensor, alive } = fakeBackend();
  type State = {
    readonly kept: FakeTensor;
    readonly moved: FakeTensor;
    readonly host: Float32Array;
  };
  const state = owned<State>(
    { kept: tensor(), moved: tensor(), host: new Float32Array(4) },
    backend.dispose,
  );
  const before = state.value;
  const step = mutate(
    "step",
    (s: State) => [{ ...s, moved: tensor() }, { loss: tensor() }] as const,
  );
  const result = await step(state)({ backend })();
  assert.ok(E.isRight(result));
  assert.equal(state.value.kept, before.kept);
  assert.notEqual(state.value.moved, before.moved);
  assert.ok(!alive.has(before.moved) && alive.has(before.kept));
  assert.equal(backend.tensors(), 3);
  result.right[Symbol.dispose]();
  state[Symbol.dispose]();
  assert.equal(backend.tensors(), 0);
});

Deno.test("mutate leaves the old state where it fails", async () => {
  const { backend, tensor } = fakeBackend();
  const state = owned({ w: tensor() }, backend.dispose);
  const before = state.value;
  const result = await mutate("step", (): readonly [typeof before, number] => {
    tensor();
    throw new Error("no memory");
  })(state)({ backend })();
  assert.ok(E.isLeft(result));
  assert.equal(state.value, before);
  assert.equal(backend.tensors(), 1);
});

Deno.test("over any run of steps the count of tensors is that of the state", async () => {
  const choice = fc.array(fc.constantFrom("replace", "keep", "fail"), { maxLength: 20 });
  await fc.assert(fc.asyncProperty(choice, async (choices) => {
    const { backend, tensor } = fakeBackend();
    const state = owned<readonly FakeTensor[]>([tensor(), tensor()], backend.dispose);
    for (const how of choices) {
      const result = await mutate("step", (s: readonly FakeTensor[]) => {
        tensor();
        if (how === "fail") throw new Error("no");
        return [how === "keep" ? s : s.map(tensor), tensor()] as const;
      })(state)({ backend })();
      if (E.isRight(result)) result.right[Symbol.dispose]();
      assert.equal(backend.tensors(), 2);
    }
    state[Symbol.dispose]();
    assert.equal(backend.tensors(), 0);
  }));
});
