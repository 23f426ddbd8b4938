/**
 * What is behind a person: a gradient with blurred shapes, the same through a video.
 *
 * @module
 */
import type { Draw } from "../../pipeline/core/rng.ts";
import { lerp, lerp3, smoothstep, type Vec3 } from "./vector.ts";

interface BlurredShape {
  readonly round: boolean;
  readonly x: number;
  readonly y: number;
  readonly halfWidth: number;
  readonly halfHeight: number;
  readonly blur: number;
  readonly color: Vec3;
  readonly strength: number;
}

/** A background in coordinates from 0 to 1. */
export interface Background {
  readonly top: Vec3;
  readonly bottom: Vec3;
  readonly slant: number;
  readonly shapes: readonly BlurredShape[];
}

/** A colour of given lightness and strength, linear. */
export const drawColor = (draw: Draw, light: number, strength: number): Vec3 => {
  const hue = draw.uniform(0, 2 * Math.PI), s = strength * light;
  return [
    Math.max(0.004, light + s * Math.cos(hue)),
    Math.max(0.004, light + s * Math.cos(hue - 2.1)),
    Math.max(0.004, light + s * Math.cos(hue + 2.1)),
  ];
};

/** Draws a background: a plain wall, a room, lights at night or a garden. */
export const drawBackground = (draw: Draw): Background => {
  const kind = draw.pick(["wall", "wall", "room", "room", "lights", "garden"] as const);
  const light = kind === "lights" ? draw.uniform(0.01, 0.05) : draw.uniform(0.02, 1) ** 1.6;
  const color: Vec3 = kind === "garden"
    ? [0.35 * light + 0.05, 0.5 * light + 0.09, 0.25 * light + 0.03]
    : drawColor(draw, light * 0.8 + 0.01, draw.uniform(0, 0.7));
  const tint = drawColor(draw, light * draw.uniform(0.3, 1.2), draw.uniform(0, 0.7));
  const count = { wall: draw.integer(2), room: 3 + draw.integer(4), lights: 9, garden: 8 }[kind];
  const shapes = Array.from({ length: count }, (): BlurredShape => {
    const small = kind === "lights", round = kind !== "room";
    return {
      round,
      x: draw.uniform(-0.1, 1.1),
      y: draw.uniform(-0.1, 0.9),
      halfWidth: small ? draw.uniform(0.02, 0.07) : draw.uniform(0.06, 0.3),
      halfHeight: small ? draw.uniform(0.02, 0.07) : draw.uniform(0.06, 0.45),
      blur: small ? 0.03 : draw.uniform(0.02, 0.12),
      color: kind === "garden"
        ? [draw.uniform(0.02, 0.4), draw.uniform(0.08, 0.5), draw.uniform(0.02, 0.25)]
        : drawColor(draw, draw.uniform(0.02, small ? 1 : 0.7), draw.uniform(0, 0.8)),
      strength: draw.uniform(0.4, 0.95),
    };
  });
  return {
    top: lerp3(color, tint, draw.uniform()),
    bottom: color,
    slant: draw.uniform(-0.6, 0.6),
    shapes,
  };
};

/** Paints a background, linear. // [size, size, 3] */
export const paintBackground = (background: Background, size: number): Float32Array => {
  const out = new Float32Array(size * size * 3);
  for (let py = 0, at = 0; py < size; py++) {
    for (let px = 0; px < size; px++, at += 3) {
      const x = (px + 0.5) / size, y = (py + 0.5) / size;
      let [r, g, b] = lerp3(
        background.top,
        background.bottom,
        smoothstep(0, 1, y + background.slant * (x - 0.5)),
      );
      for (const s of background.shapes) {
        const dx = Math.abs(x - s.x) / s.halfWidth, dy = Math.abs(y - s.y) / s.halfHeight;
        const away = s.round ? Math.sqrt(dx * dx + dy * dy) : Math.max(dx, dy);
        const soft = s.blur / Math.min(s.halfWidth, s.halfHeight);
        const amount = s.strength * (1 - smoothstep(1 - soft, 1 + soft, away));
        if (amount <= 0) continue;
        r = lerp(r, s.color[0], amount);
        g = lerp(g, s.color[1], amount);
        b = lerp(b, s.color[2], amount);
      }
      out[at] = r;
      out[at + 1] = g;
      out[at + 2] = b;
    }
  }
  return out;
};
