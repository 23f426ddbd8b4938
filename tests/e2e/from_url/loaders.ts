/** Everything of `mod.ts` that loads a file or starts a worker; run from a URL by a test. */
import {
  createFaceAnalyzer,
  E,
  F,
  readImage,
  selectBackend,
  syntheticHeads,
  type TaskEither,
  TE,
  videoFolder,
  writeImage,
} from "../../../mod.ts";

const right = async <Er, A>(work: TaskEither<Er, A>): Promise<A> => {
  const done = await work();
  if (E.isLeft(done)) throw new Error(JSON.stringify(done.left));
  return done.right;
};

// Stock kernels, own kernels and the threads that help them.
const backend = await right(selectBackend("wasm", { threads: 2 }));
const { device } = backend;
await backend.close();

// Picture codecs, and the worker of the face networks.
const heads = syntheticHeads({ size: 160, identities: 2, videos: 1, heldOut: 1 });
const faces = await right(createFaceAnalyzer());
let found = 0;
for (const sequence of [...heads.train, ...heads.heldOut]) {
  const folder = `videos/${sequence.identity}/${sequence.video}`;
  Deno.mkdirSync(folder, { recursive: true });
  const frames = await right(heads.read(sequence, [0, 4, 8, 12, 16, 20]));
  for (const [i, { image }] of frames.entries()) {
    await right(writeImage(`${folder}/${i}.png`, image));
  }
  const all = await right(F.pipe(readImage(`${folder}/0.png`), TE.flatMap(faces.detect)));
  found += all.length;
}
await faces.close();

// The worker that prepares clips, with a worker of the face networks of its own.
const open = videoFolder({ path: "videos", size: 32, cache: "cache", minFrames: 3, workers: 1 });
const { report } = await right(open({ emit: () => {}, signal: new AbortController().signal }));
const told = JSON.stringify({ device, found, clips: report.clips, usable: report.usable });
Deno.stdout.writeSync(new TextEncoder().encode(told));
