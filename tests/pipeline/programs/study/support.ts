/** Studies without networks, and servers of them. */
import assert from "node:assert/strict";
import { makeImage } from "../../../../pipeline/core/image.ts";
import { encodePng } from "../../../../datasets/codec.ts";
import { type Assets, loadAssets } from "../../../../pipeline/programs/study/assets.ts";
import { brokenAnswer, studyHandler } from "../../../../pipeline/programs/study/handler.ts";
import {
  beginStudy,
  finishStudy,
  keepPerson,
  type OpenStudy,
  openStudy,
  type Picture,
} from "../../../../pipeline/programs/study/store.ts";
import { inFolder } from "../../../e2e/support.ts";
import { expectRight } from "../../../models/support.ts";

/** How many people, and triplets of each, and by whom. */
export interface Sketch {
  readonly people?: number;
  readonly targets?: number;
  readonly methods?: readonly string[];
  readonly shots?: readonly number[];
  /** How often a rater sees a person; default: as often as there is. */
  readonly rounds?: number;
}

/** Every picture another colour: red where it is fake, so that a test can see what a rater sees. */
const picture = async (video: string, at: number, isFake: boolean): Promise<Picture> => {
  const image = makeImage(16, 16, isFake ? [255, at, 0] : [0, at, 255]);
  return { video, frame: at, png: await expectRight(encodePng(image)) };
};

/** Writes a study of coloured squares. */
export const sketchStudy = async (
  folder: string,
  { people = 2, targets = 2, methods = ["ours, feed-forward"], shots = [8], rounds = 1000 }:
    Sketch = {},
): Promise<void> => {
  const database = await expectRight(() =>
    beginStudy(folder, { seed: 7, rounds }, { sketch: true })
  );
  for (let person = 0; person < people; person++) {
    const triplets = [];
    for (const method of methods) {
      for (const each of shots) {
        for (let target = 0; target < targets; target++) {
          const pictures = await Promise.all([
            picture("a", target, true),
            picture("b", target, false),
            picture("c", target, false),
          ]);
          triplets.push({ person: `p${person}`, method, shots: each, target, pictures });
        }
      }
    }
    keepPerson(database, `p${person}/a`, triplets, []);
  }
  finishStudy(database, [
    { person: "lonely", reason: "fewer than three videos", detail: "2 of 3 videos" },
  ]);
  database.close();
};

/** Opens a study for a test and closes it. */
export const withStudy = async (
  folder: string,
  test: (study: OpenStudy) => Promise<void> | void,
): Promise<void> => {
  const study = await expectRight(() => openStudy(folder));
  try {
    await test(study);
  } finally {
    study.database.close();
  }
};

/** A study that is being served. */
export interface Serving {
  readonly study: OpenStudy;
  /** Ends without a slash. */
  readonly url: string;
  readonly port: number;
  /** What the handler threw. */
  readonly broken: readonly string[];
}

/** Serves a study on a free port of the loopback while a test goes. */
export const serving = (
  folder: string,
  test: (serving: Serving) => Promise<void>,
  options: { readonly patience?: number; readonly origins?: readonly string[] } = {},
): Promise<void> =>
  withStudy(folder, async (study) => {
    const assets: Assets = await loadAssets(), broken: string[] = [];
    const { patience, origins = [] } = options;
    let handle = (_: Request): Promise<Response> => Promise.resolve(brokenAnswer());
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      onError: (cause) => {
        broken.push(String(cause));
        return brokenAnswer();
      },
    }, (request) => handle(request));
    const port = server.addr.port, listening = { hostname: "127.0.0.1", port, origins };
    handle = studyHandler({ study, assets, listening, ...(patience ? { patience } : {}) });
    try {
      await test({ study, url: `http://127.0.0.1:${port}`, port, broken });
    } finally {
      await server.shutdown();
    }
  });

/** A rater as a program. */
export interface Rater {
  readonly cookie: string;
  readonly get: (path: string) => Promise<Response>;
  readonly vote: (body: unknown) => Promise<Response>;
}

/** Begins a study as a browser does. */
export const beginRating = async (url: string): Promise<Rater> => {
  const json = { "content-type": "application/json", origin: url };
  const begun = await fetch(`${url}/api/raters`, { method: "POST", headers: json, body: "{}" });
  assert.equal(begun.status, 201);
  await begun.body?.cancel();
  const cookie = begun.headers.get("set-cookie")?.split(";")[0] ?? assert.fail("no cookie");
  return {
    cookie,
    get: (path) => fetch(url + path, { headers: { cookie } }),
    vote: (body) =>
      fetch(`${url}/api/votes`, {
        method: "POST",
        headers: { ...json, cookie },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
  };
};

/** Serves a new study of coloured squares. */
export const onStudy = (
  test: (serving: Serving) => Promise<void>,
  sketch: Sketch = {},
  options: Parameters<typeof serving>[2] = {},
): Promise<void> =>
  inFolder(async (folder) => {
    await sketchStudy(folder, sketch);
    await serving(folder, test, options);
  });

/** How many votes are kept. */
export const votesIn = ({ study }: Serving): number =>
  Number(study.database.prepare("SELECT count(*) AS n FROM vote").get()?.["n"]);
