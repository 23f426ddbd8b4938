/** The order of triplets and the places of pictures. */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.3.0";
import { countShown, orderFor, placesFor } from "../../../../pipeline/programs/study/order.ts";

const tripletsOf = (counts: readonly number[]) =>
  counts.flatMap((count, person) => Array.from({ length: count }, () => `p${person}`))
    .map((person, i) => ({ id: i + 1, person }));

Deno.test("each rater sees every triplet once, in rounds of all people, the same again", () => {
  const counts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(counts, fc.nat(), fc.nat(1000), (counts, seed, rater) => {
    const triplets = tripletsOf(counts), orders = { seed, rounds: 1000, triplets };
    const order = orderFor(orders, rater);
    assert.deepEqual(order.toSorted((a, b) => a - b), triplets.map(({ id }) => id));
    assert.deepEqual(orderFor(orders, rater), order);
    assert.equal(countShown(orders), order.length);
    const people = order.map((id) => triplets[id - 1]?.person);
    for (let round = 0, from = 0; from < people.length; round++) {
      const some = counts.filter((count) => count > round).length;
      assert.equal(new Set(people.slice(from, from + some)).size, some, "twice in a round");
      from += some;
    }
  }));
});

Deno.test("as many rounds as a study has: a person is seen so often at most, by whichever triplet", () => {
  const triplets = tripletsOf([1, 5, 5]);
  for (const [rounds, shown] of [[1, 3], [2, 5], [4, 9], [9, 11]] as const) {
    const orders = { seed: 4, rounds, triplets };
    assert.deepEqual([orderFor(orders, 1).length, countShown(orders)], [shown, shown]);
  }
  const seen = Array.from(
    { length: 60 },
    (_, rater) => orderFor({ seed: 4, rounds: 1, triplets }, rater),
  ).flat();
  assert.deepEqual(new Set(seen).size, triplets.length, "a triplet that nobody sees");
});

Deno.test("raters and seeds have orders of their own", () => {
  const triplets = tripletsOf([4, 4, 4, 4, 4]);
  const orders = [[1, 1], [1, 2], [1, 3], [2, 1]].map(([seed = 0, rater = 0]) =>
    orderFor({ seed, rounds: 9, triplets }, rater).join()
  );
  assert.equal(new Set(orders).size, orders.length);
});

Deno.test("the fake stands in every place equally often, for each rater and for each triplet", () => {
  const ways = new Map<string, number>(), count = 6000;
  for (let i = 0; i < count; i++) {
    const places = placesFor(3, i % 60, Math.floor(i / 60)).join("");
    ways.set(places, (ways.get(places) ?? 0) + 1);
  }
  assert.equal(ways.size, 6);
  for (const times of ways.values()) assert.ok(Math.abs(times - count / 6) < 150, `${times}`);
  assert.deepEqual(placesFor(3, 1, 2), placesFor(3, 1, 2));
});
