/**
 * Tests that need a WebGPU adapter, a software one included: without any they are skipped and say
 * so, unless HEADSHOT_REQUIRE_WEBGPU=1 turns the skip into a failure.
 */
import { adapterKind } from "../../backends/webgpu/device.ts";

const missing = await adapterKind() === "none";
const required = Deno.env.get("HEADSHOT_REQUIRE_WEBGPU") === "1";

/** Registers a test that needs an adapter. */
export const webgpuTest = (
  name: string,
  fn: (t: Deno.TestContext) => void | Promise<void>,
): void =>
  Deno.test({
    name: missing && !required ? `${name} (skipped: there is no WebGPU adapter)` : name,
    ignore: missing && !required,
    fn,
  });
