/** SIGKILL at random moments of training; `deno task faults --kills 200` does it for a night. */
import assert from "node:assert/strict";
import { inFolder } from "../e2e/support.ts";
import { killRuns } from "./kills.ts";

Deno.test("killed five times at random moments, a run loses nothing and ends with the same weights", () =>
  inFolder(async (folder) => {
    const report = await killRuns({ kills: 5, folder });
    assert.deepEqual(report.lost, []);
    assert.equal(report.kills, 5);
    assert.ok(report.ended >= 1, "none came to its end");
  }));
