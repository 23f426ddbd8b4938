/**
 * How long the content loss takes, as a whole and network by network: the real frame once without a
 * tape, the fake one, the gradient to it.
 *
 * @module
 */
import { type Tensor, tf } from "../backends/tf.ts";
import {
  contentLoss,
  type ContentNetwork,
  type ContentNetworks,
  loadContentNetworks,
  prepareContent,
} from "../models/content_loss.ts";
import { differentiate } from "../models/optimiser.ts";
import type { FeatureNetwork } from "../models/perceptual.ts";
import { createVgg, vgg19, vggFace, vggShapes } from "../models/perceptual/vgg.ts";
import type { Preset } from "../models/presets.ts";
import type { Backend, HasBackend, HasClock } from "../pipeline/core/env.ts";
import { type Effort, seconds, timeOf } from "../pipeline/core/timing.ts";
import { need } from "./untrained.ts";

/** Times of a preset's content loss. */
export interface ContentTimes {
  /** Of all of its networks together. */
  readonly all: number;
  /** Of each alone, by its name: "vgg19 (noise)" where its weights are not at hand. */
  readonly networks: Readonly<Record<string, number>>;
}

type Entry = Preset["training"]["content"][number];
const vggs = { vgg19, vggface: vggFace };

/** A VGG of noise: its time does not depend on its weights. */
const noiseVgg = (network: keyof typeof vggs, { taps, pooling }: Entry): FeatureNetwork => {
  const shapes = [...vggShapes(vggs[network], taps)];
  const arrays = new Map(shapes.map(([name, shape]) => {
    const values = tf.tidy(() => tf.randomNormal([...shape], 0, 0.05).dataSync<"float32">());
    return [name, { shape, values }];
  }));
  return createVgg(vggs[network], arrays, taps, pooling);
};

const loadOne = async (backend: Backend, entry: Entry): Promise<ContentNetwork> => {
  const { network, path, weight } = entry;
  if ((network === "vgg19" || network === "vggface") && path === undefined) {
    const made = await need(backend.run("a network of noise", () => noiseVgg(network, entry)));
    return { name: `${network} (noise)`, weight, network: made };
  }
  const [loaded] = (await need(loadContentNetworks([entry])({ backend }))).value;
  if (loaded === undefined) throw new Error(`Cannot measure ${network}: it was not loaded`); // a bug
  return loaded;
};

const secondsOf = (
  { backend, now }: HasBackend & HasClock,
  networks: ContentNetworks,
  { real, fake }: Readonly<Record<"real" | "fake", Tensor>>,
  effort: Effort,
): Promise<number> =>
  timeOf(() =>
    seconds(async () => {
      const made = await need(backend.run("content loss", () => {
        const terms = prepareContent(networks, real);
        return differentiate(() => contentLoss(terms(fake)).asScalar(), { fake });
      }));
      await need(backend.read("gradient", () => made.loss.data()));
      backend.dispose(made);
    }, now), effort);

/** The preset's own content loss with its gradient to the frame, batch 1. */
export const contentSeconds = async (
  env: HasBackend & HasClock,
  { architecture: { size }, training: { content } }: Preset,
  effort: Effort,
): Promise<ContentTimes> => {
  const { backend } = env, networks: ContentNetwork[] = [];
  for (const entry of content) networks.push(await loadOne(backend, entry));
  const frames = await need(backend.run("inputs", () => ({
    real: tf.randomUniform([1, size, size, 3], -1, 1),
    fake: tf.randomUniform([1, size, size, 3], -1, 1),
  })));
  const alone: [string, number][] = [];
  for (const network of networks) {
    alone.push([network.name, await secondsOf(env, [network], frames, effort)]);
  }
  const all = await secondsOf(env, networks, frames, effort);
  backend.dispose([frames, networks.map(({ network }) => network.weights)]);
  return { all, networks: Object.fromEntries(alone) };
};
