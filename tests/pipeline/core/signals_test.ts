import assert from "node:assert/strict";
import { abortedBy } from "../../../pipeline/core/abort.ts";

const noSignals = Deno.build.os === "windows";
const core = (name: string) =>
  JSON.stringify(import.meta.resolve(`../../../pipeline/core/${name}`));

// In a process of its own: the test runner listens to SIGINT itself.
const start = (body: string) => {
  const script = `import { withSignals } from ${core("signals.ts")};
    import { abortedBy } from ${core("abort.ts")};
    import { exitCode } from ${core("errors.ts")};
    const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    ${body}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `data:text/typescript,${encodeURIComponent(script)}`],
    stdout: "piped",
  }).spawn();
  const lines = linesOf(child.stdout);
  return { child, next: async () => (await lines.next()).value };
};

const linesOf = async function* (stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
};

for (const [name, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test({
    name: `${name} once: the step is finished, then exit ${code}`,
    ignore: noSignals,
    fn: async () => {
      const { child, next } = start(`
        const error = await withSignals(async (signal) => {
          console.log("working");
          while (!signal.aborted) await sleep(5);
          await sleep(50);
          console.log("finished", JSON.stringify(abortedBy(signal)));
          return abortedBy(signal);
        }, { onStop: (signal) => console.log("told", signal) });
        Deno.exit(exitCode(error));`);
      assert.equal(await next(), "working");
      child.kill(name);
      assert.equal(await next(), `told ${name}`);
      assert.equal(
        await next(),
        `finished {"_tag":"Aborted","reason":"${name} was received","signal":"${name}"}`,
      );
      assert.equal((await child.status).code, code);
    },
  });

  Deno.test({
    name: `${name} twice: exit ${code} at once`,
    ignore: noSignals,
    fn: async () => {
      const { child, next } = start(`
        await withSignals(async () => {
          console.log("working");
          await sleep(20000);
        }, { onStop: () => console.log("told") });`);
      assert.equal(await next(), "working");
      child.kill(name);
      assert.equal(await next(), "told");
      const from = Date.now();
      child.kill(name);
      assert.equal((await child.status).code, code);
      assert.ok(Date.now() - from < 10_000);
    },
  });
}

Deno.test({
  name: "handlers are removed when the work ends, rejects too: the default is back",
  ignore: noSignals,
  fn: async () => {
    const { child, next } = start(`
      await withSignals(() => Promise.reject(new Error("bug"))).catch(() => {});
      console.log("ended");
      await sleep(20000);`);
    assert.equal(await next(), "ended");
    child.kill("SIGTERM");
    assert.equal((await child.status).signal, "SIGTERM");
  },
});

Deno.test("any reason of an abort becomes a value", () => {
  const by = (reason: unknown) => {
    const controller = new AbortController();
    controller.abort(reason);
    return abortedBy(controller.signal).reason;
  };
  assert.equal(by("enough"), "enough");
  assert.equal(by(new Error("boom")), "boom");
  assert.equal(by({ _tag: "Aborted", reason: "told" }), "told");
  assert.equal(by(undefined), "The signal has been aborted");
});
