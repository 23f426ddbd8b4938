/** Small whole files of runs: configurations, people, checkpoints. */
import { writeSafetensors } from "../../../pipeline/core/safetensors.ts";
import { encodePerson } from "../../../pipeline/programs/person_file.ts";
import { decodeRunConfig } from "../../../pipeline/programs/run_config.ts";
import { asHost } from "../../models/weights/writers.ts";
import { testPerson } from "../../pipeline/programs/driven.ts";
import type { Bytes } from "../damage.ts";
import { bundle } from "../mend.ts";
import { always, json, mixed, type Seeds, sha256, tiny, utf8 } from "./basics.ts";

const settings = {
  preset: "test-16",
  seed: 3,
  training: {
    steps: 20,
    generatorRate: 5e-5,
    match: { start: 0, end: 80, from: 0, to: 100 },
    content: [{ network: "pixels", taps: [], weight: 1 }],
  },
};

export const configs = always(
  utf8(
    '{\n  // A comment.\n  "preset": "test-16", /* another */\n  "training": { "steps": 5, },\n}',
  ),
  json({ ...settings, judge: { people: 2, shots: 1, targets: 1 }, data: "synthetic" }),
  utf8("null"),
);

const whole = decodeRunConfig(settings);

export const runs = always(
  bundle(
    json("right" in whole ? whole.right : settings),
    json([{ step: 4, reason: "the generator paints one flat colour" }]),
  ),
);

export const people = (): Promise<readonly Bytes[]> =>
  Promise.resolve([encodePerson(testPerson())]);

export const checkpoints: Seeds = () => {
  const parts = [writeSafetensors(mixed, { step: "1" }), writeSafetensors(asHost(tiny))];
  const [weights, state] = parts.map((part) => ({ bytes: part.length, sha256: sha256(part) }));
  const meta = json({
    ...{ format: 1, step: 1, seed: 1, architecture: "test-16/1", config: settings, score: 0.5 },
    ...{ time: "2026-01-01T00:00:00.000Z", files: { weights, state } },
  });
  return Promise.resolve([bundle(meta, ...parts)]);
};
