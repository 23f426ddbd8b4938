/** A video as a driver: every frame, one square, pictures and landmarks that agree. */
import assert from "node:assert/strict";
import { findVideoTools } from "../../../datasets/video/tools.ts";
import { openVideoDriver } from "../../../datasets/track/video_driver.ts";
import { createFaceAnalyzer } from "../../../backends/face.ts";
import { TE } from "../../../pipeline/core/fp.ts";
import { runCollect } from "../../../pipeline/core/flow.ts";
import { landmarkError } from "../../../pipeline/metrics/landmarks.ts";
import { personFrames, right, videoTest, withFolder, writeVideo } from "../video_fixtures.ts";
import { makeImage } from "../../../pipeline/core/image.ts";

videoTest(
  "driver: pictures and landmarks of a video agree; frames without a face are lost",
  () =>
    withFolder(async (folder) => {
      const path = `${folder}/talk.mp4`, frames = await personFrames(0, 8);
      await writeVideo(path, [
        ...frames.slice(0, 5),
        makeImage(192, 192, [90, 90, 90]),
        ...frames.slice(5),
      ]);
      const analyzer = await right(createFaceAnalyzer());
      try {
        const env = { signal: new AbortController().signal, emit: () => {} };
        const tools = await right(findVideoTools());
        const open = openVideoDriver(TE.right(analyzer), tools, path, { size: 128 });
        const driver = await right(open(env));
        assert.equal(driver.track.framesPerSecond, 25);
        assert.equal(driver.sound, undefined);
        assert.deepEqual(
          driver.track.frames.map((points) => points === null),
          [false, false, false, false, false, true, false, false, false],
        );
        const pictures = await right(runCollect(driver.pictures)(env));
        assert.equal(pictures.length, 9);
        for (const i of [0, 4, 8]) {
          const [seen] = await right(analyzer.detect(pictures[i]!));
          const error = landmarkError(driver.track.frames[i]!, seen!.landmarks);
          assert.ok(error < 0.12, `frame ${i}: ${error}`);
        }
        const first = openVideoDriver(TE.right(analyzer), tools, path, { size: 64, frames: 3 });
        assert.equal((await right(first(env))).track.frames.length, 3);
      } finally {
        await analyzer.close();
      }
    }),
);
