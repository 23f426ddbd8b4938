/**
 * How well the recognisers of CSIM tell people apart, on a folder of videos in VoxCeleb layout.
 *
 *   deno run -A bench/csim_corpus.ts --data DIR --cache DIR [--mobileface PATH] [--size 160]
 *     [--frames 6] [--json]
 */
import { parseArgs } from "@std/cli/parse-args";
import { createFaceAnalyzer } from "../backends/face.ts";
import { selectBackend } from "../backends/select.ts";
import type { Dataset, Sequence } from "../datasets/dataset.ts";
import { videoFolder } from "../datasets/folder.ts";
import { makeEnv } from "../pipeline/core/env.ts";
import { type PipelineError, renderError } from "../pipeline/core/errors.ts";
import { E, type Either } from "../pipeline/core/fp.ts";
import { csim } from "../pipeline/metrics/csim.ts";
import { areaUnderCurve } from "../pipeline/metrics/roc.ts";
import {
  faceApiIdentity,
  type IdentityNetwork,
  mobileFaceIdentity,
} from "../pipeline/metrics/identity.ts";

const need = <A>(result: Either<PipelineError, A>): A => {
  if (E.isRight(result)) return result.right;
  throw new Error(renderError(result.left));
};

interface Described {
  readonly sequence: Sequence;
  readonly descriptors: readonly Float32Array[];
}

const describeAll = async (
  { train, heldOut, read }: Dataset,
  network: IdentityNetwork,
  count: number,
): Promise<readonly Described[]> => {
  const all: Described[] = [];
  for (const sequence of [...train, ...heldOut]) {
    const last = sequence.frames - 1, most = Math.min(count, sequence.frames);
    const indices = Array.from(
      { length: most },
      (_, i) => most < 2 ? 0 : Math.round(i * last / (most - 1)),
    );
    const descriptors: Float32Array[] = [];
    for (const { image, landmarks } of need(await read(sequence, indices)())) {
      descriptors.push(need(await network.describe(image, landmarks)()));
    }
    all.push({ sequence, descriptors });
  }
  return all;
};

const quantile = (sorted: readonly number[], at: number): number =>
  sorted[Math.round(at * (sorted.length - 1))] ?? NaN;

const summary = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number) => Number(quantile(sorted, q).toFixed(3));
  return {
    pairs: values.length,
    p1: at(0.01),
    p5: at(0.05),
    median: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
  };
};

const compare = (all: readonly Described[]) => {
  const within: number[] = [], across: number[] = [], different: number[] = [];
  all.forEach((a, i) =>
    all.slice(i).forEach((b, j) => {
      const list = j === 0
        ? within
        : a.sequence.identity === b.sequence.identity
        ? across
        : different;
      a.descriptors.forEach((x, k) =>
        b.descriptors.forEach((y, l) => {
          if (j > 0 || k < l) list.push(csim(x, y));
        })
      );
    })
  );
  return {
    within: summary(within),
    across: summary(across),
    different: summary(different),
    aucWithin: areaUnderCurve(within, different),
    aucAcross: areaUnderCurve(across, different),
  };
};

const args = parseArgs(Deno.args, {
  string: ["data", "cache", "mobileface", "size", "frames"],
  boolean: ["json"],
  default: { size: "160", frames: "6" },
});
const backend = need(await selectBackend("auto")());
const faces = need(await createFaceAnalyzer()());
const folder = need(
  await videoFolder({
    path: args.data ?? "",
    cache: args.cache ?? "",
    size: Number(args.size),
    framesPerClip: 8,
    minFrames: 2,
  })(makeEnv({ backend, seed: 1, emit: () => {} }))(),
);
const networks = [
  faceApiIdentity(faces),
  ...(args.mobileface ? [need(await mobileFaceIdentity(args.mobileface)({ backend })())] : []),
];
const report: Record<string, ReturnType<typeof compare>> = {};
for (const network of networks) {
  const all = await describeAll(folder, network, Number(args.frames));
  report[network.name] = compare(all);
  network.dispose();
}
await faces.close();
await backend.close();
const people = new Set([...folder.train, ...folder.heldOut].map(({ identity }) => identity)).size;
const text = JSON.stringify({ people, size: folder.size, ...report }, null, args.json ? 0 : 2);
await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
