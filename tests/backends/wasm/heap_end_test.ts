/** The end of the heap: a reserve lies behind every block, whatever holes there are before it. */
import assert from "node:assert/strict";
import { createSharedHeap } from "../../../backends/wasm/heap.ts";

const mebibyte = 2 ** 20;

Deno.test("the last block of the heap has a reserve behind it, holes before it or not", async () => {
  const heap = await createSharedHeap(512 * mebibyte);
  const hole = heap.allocate(32 * mebibyte);
  heap.allocate(16); // keeps the hole apart from what comes behind
  heap.free(hole);
  for (let size = 33; size < 200; size++) {
    const at = heap.allocate(size * mebibyte);
    const behind = heap.memory.buffer.byteLength - (at + size * mebibyte);
    assert.ok(behind >= 4 * mebibyte, `${behind} bytes behind a block of ${size} MiB`);
    heap.free(at);
  }
});
