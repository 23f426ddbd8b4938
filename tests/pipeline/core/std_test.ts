/** The stand-ins in vendor/ do what the real packages do, in the parts that are used. */
import assert from "node:assert/strict";
import { parseArgs } from "@std/cli/parse-args";
import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { assertSpyCall, assertSpyCalls, MockError, spy, stub } from "@std/testing/mock";
import { FakeTime } from "@std/testing/time";
import { assertType, type IsExact } from "@std/testing/types";

const log: string[] = [];
describe("bdd runs hooks around tests, outer ones outside, sharing this", () => {
  beforeAll(() => void log.push("all"));
  beforeEach(function (this: { count: number }) {
    this.count = 1;
    log.push("each");
  });
  afterEach(() => void log.push("/each"));
  afterAll(() => {
    assert.deepEqual(log, ["all", "each", "first", "/each", "each", "inner", "second", "/each"]);
  });
  it("first", function (this: { count: number }) {
    assert.equal(this.count, 1);
    log.push("first");
  });
  describe("inside", () => {
    beforeEach(function (this: { count: number }) {
      this.count++;
      log.push("inner");
    });
    it("second", function (this: { count: number }) {
      assert.equal(this.count, 2);
      log.push("second");
    });
    it.skip("never", () => assert.fail("ran"));
  });
});

it("parseArgs parses and infers types", () => {
  const args = parseArgs(
    ["--steps", "5", "--content", "a=b", "--content=c=d", "--resume", "-h", "file", "--", "-x"],
    {
      string: ["steps", "content", "run"],
      boolean: ["resume", "help"],
      collect: ["content"],
      alias: { help: "h" },
      default: { run: "runs/new" },
    },
  );
  assertType<IsExact<typeof args.steps, string | undefined>>(true);
  const run: string = args.run, content: string[] = args.content, resume: boolean = args.resume;
  assert.deepEqual([args.steps, run, content, resume, args.help, args._], [
    "5",
    "runs/new",
    ["a=b", "c=d"],
    true,
    true,
    ["file", "-x"],
  ]);
  const unknown = spy((_arg: string, _key?: string): unknown => false);
  parseArgs(["--sped", "3"], { string: ["speed"], unknown });
  assert.equal(unknown.calls[0]?.args[1], "sped");
});

it("ProgressBar draws at once, every second, and at the end", async () => {
  let drawn = "";
  const writable = new WritableStream<Uint8Array>({
    write: (bytes) => void (drawn += new TextDecoder().decode(bytes)),
  });
  using time = new FakeTime();
  const bar = new ProgressBar({
    max: 10,
    writable,
    barLength: 4,
    fmt: (x) => `${x.styledTime} ${x.progressBar} ${x.previousValue}→${x.value}/${x.max}`,
  });
  bar.value = 5;
  time.tick(61_000);
  bar.value = 20;
  await bar.stop();
  const frames = drawn.split("\r\u001b[K").slice(1);
  assert.equal(frames[0], "00:00 ---- 0→0/10");
  assert.equal(frames[1], "00:01 ##-- 0→5/10");
  assert.equal(frames.at(-2), "01:01 ##-- 5→5/10");
  assert.equal(frames.at(-1), "01:01 #### 5→20/10\n");
  assert.equal(time.next(), false); // its timer is gone
  assert.equal(writable.locked, false);
});

it("spies and stubs remember their calls and put the method back", () => {
  const add = spy((a: number, b: number) => a + b);
  add(1, 2);
  assertSpyCalls(add, 1);
  assertSpyCall(add, 0, { args: [1, 2], returned: 3 });
  assert.throws(() => assertSpyCalls(add, 2), /not called as much as expected/);
  const it = { name: () => "real" };
  {
    using fake = stub(it, "name", () => "fake");
    assert.equal(it.name(), "fake");
    assertSpyCalls(fake, 1);
    assert.throws(() => stub(it, "name"), MockError);
  }
  assert.equal(it.name(), "real");
});

it("FakeTime moves only when told, in order of the timers", () => {
  using time = new FakeTime(1000);
  const seen: number[] = [];
  setTimeout(() => seen.push(Date.now()), 250);
  const id = setInterval(() => seen.push(new Date().getTime()), 100);
  time.tick(300);
  clearInterval(id);
  time.runAll();
  assert.deepEqual(seen, [1100, 1200, 1250, 1300]);
  assert.equal(time.now - time.start, 300);
});
