/**
 * Tests that need the system's OpenBLAS: without it they are skipped and say so, unless
 * HEADSHOT_REQUIRE_NATIVE=1 turns the skip into a failure.
 */
import { openBlas } from "../../backends/native/open_blas.ts";

const isThere = (): boolean => {
  try {
    openBlas(1).close();
    return true;
  } catch {
    return false;
  }
};

const missing = !isThere(), required = Deno.env.get("HEADSHOT_REQUIRE_NATIVE") === "1";

/** Registers a test that needs the library. */
export const nativeTest = (
  name: string,
  fn: (t: Deno.TestContext) => void | Promise<void>,
): void =>
  Deno.test({
    name: missing && !required ? `${name} (skipped: there is no OpenBLAS)` : name,
    ignore: missing && !required,
    fn,
  });
