/**
 * Self-attention over the positions of a feature map (section 4), blocked over the queries where
 * the whole map would be too large.
 *
 * @module
 */
import { type Tensor, type Tensor3D, type Tensor4D, tf } from "../backends/tf.ts";
import { runOne } from "../backends/kernels/gradients.ts";
import { convolve, softmax } from "../backends/ops.ts";
import type { Weights } from "./parameters.ts";

/** The largest attention map that is made at once, in bytes: WebGPU guarantees 128 MiB bindings. */
export const attentionMapBytes = 64 * 1024 * 1024;

/** softmax(f gᵀ) h for queries f [B, Q, c], keys g [B, P, c], values h [B, P, C]. // [B, Q, C] */
const attend = (f: Tensor, g: Tensor, h: Tensor): Tensor =>
  tf.matMul(softmax(tf.matMul(f, g, false, true)), h);

/** How many queries fit into one block under the budget. */
export const queriesPerBlock = (
  batch: number,
  positions: number,
  mapBytes: number = attentionMapBytes,
): number => Math.max(1, Math.min(positions, Math.floor(mapBytes / (4 * batch * positions))));

const slices = (x: Tensor, rows: number): Tensor[] => {
  const [batch = 1, positions = 1, channels = 1] = x.shape;
  return Array.from({ length: Math.ceil(positions / rows) }, (_, i) => {
    const start = i * rows;
    return tf.slice(x as Tensor3D, [0, start, 0], [
      batch,
      Math.min(rows, positions - start),
      channels,
    ]);
  });
};

/**
 * The same as `attend` block by block. The gradient makes each block's map again instead of
 * keeping all of them, so memory stays at one block.
 */
const attendInBlocks = (rows: number) => (f: Tensor, g: Tensor, h: Tensor): Tensor => {
  const run = tf.customGrad((...inputs) => {
    const [f, g, h, save] = inputs as unknown as [Tensor, Tensor, Tensor, (t: Tensor[]) => void];
    save([f, g, h]);
    const value = tf.concat(
      slices(f, rows).map((queries) => tf.tidy(() => attend(queries, g, h))),
      1,
    );
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const [f, g, h] = saved as [Tensor, Tensor, Tensor];
      const dys = slices(dy, rows);
      let dg: Tensor = tf.zerosLike(g), dh: Tensor = tf.zerosLike(h);
      const df = slices(f, rows).map((queries, i) => {
        const [dQueries, nextG, nextH] = tf.tidy(() => {
          const d = dys[i] ?? dy;
          const map = tf.softmax(tf.matMul(queries, g, false, true));
          const dmap = tf.matMul(d, h, false, true);
          const dlogits = runOne("SoftmaxGrad", { dy: dmap, y: map });
          return [
            tf.matMul(dlogits, g),
            tf.add(dg, tf.matMul(dlogits, queries, true, false)),
            tf.add(dh, tf.matMul(map, d, true, false)),
          ] as const;
        }) as readonly [Tensor, Tensor, Tensor];
        tf.dispose([dg, dh]);
        dg = nextG;
        dh = nextH;
        return dQueries;
      });
      return [tf.concat(df, 1), dg, dh];
    };
    return { value, gradFunc };
  });
  return run(f, g, h);
};

/** gamma · attention(x) + x; gamma starts at 0. // [B, H, W, C] → the same */
export const selfAttention = (
  weights: Weights,
  path: string,
  x: Tensor,
  mapBytes: number = attentionMapBytes,
): Tensor => {
  const [batch, height, width, channels] = (x as Tensor4D).shape;
  const positions = height * width;
  const project = (name: string): Tensor => {
    const bias = weights(`${path}/${name}/bias`);
    return convolve(x, weights(`${path}/${name}/kernel`), { bias })
      .reshape([batch, positions, bias.size]);
  };
  const rows = queriesPerBlock(batch, positions, mapBytes);
  const combine = rows === positions ? attend : attendInBlocks(rows);
  const attended = combine(project("f"), project("g"), project("h"));
  return tf.add(
    tf.mul(weights(`${path}/gamma`), attended.reshape([batch, height, width, channels])),
    x,
  );
};
