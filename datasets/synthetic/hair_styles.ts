/**
 * Hairstyles and hair colours.
 *
 * @module
 */
import type { Draw } from "../../pipeline/core/rng.ts";
import type { Hair } from "./hair.ts";
import { linear } from "./light.ts";
import { lerp3, type Vec3 } from "./vector.ts";

type Style = Omit<Hair, "color" | "streak" | "parting" | "shine">;

const CROPPED = { flare: 0, curl: 0, curlScale: 0.1, ragged: 2 } as const;

// Edges: forehead, 20°, 40°, 56° (temple), 72° (sideburn), 88° (ear), 112°, nape.
const STYLES = {
  buzz: {
    ...CROPPED,
    edge: [-72, -71, -65, -42, 2, -18, 46, 56],
    top: 3.5,
    sides: 2.5,
    rim: 1.5,
    ends: 1.5,
  },
  short: {
    ...CROPPED,
    edge: [-72, -71, -66, -42, 8, -16, 48, 60],
    top: 14,
    sides: 6,
    rim: 4,
    ends: 2,
  },
  quiff: {
    ...CROPPED,
    edge: [-75, -74, -69, -44, 6, -18, 46, 58],
    top: 27,
    sides: 5,
    rim: 12,
    ends: 2,
  },
  receding: {
    ...CROPPED,
    edge: [-86, -96, -86, -48, 6, -16, 48, 60],
    top: 6,
    sides: 6,
    rim: 2,
    ends: 2,
  },
  fringe: {
    ...CROPPED,
    edge: [-33, -33, -35, -22, 22, 26, 56, 66],
    top: 15,
    sides: 9,
    rim: 7,
    ends: 3,
  },
  curly: {
    edge: [-68, -67, -62, -38, 10, -8, 50, 62],
    top: 22,
    sides: 13,
    rim: 10,
    ends: 8,
    flare: 0,
    curl: 5,
    curlScale: 0.13,
    ragged: 6,
  },
  afro: {
    edge: [-70, -69, -62, -36, 8, 22, 56, 66],
    top: 44,
    sides: 34,
    rim: 24,
    ends: 26,
    flare: 0,
    curl: 4,
    curlScale: 0.16,
    ragged: 5,
  },
  bob: {
    edge: [-76, -73, -60, -8, 82, 92, 96, 98],
    top: 15,
    sides: 11,
    rim: 5,
    ends: 12,
    flare: 8,
    curl: 0,
    curlScale: 0.05,
    ragged: 5,
  },
  fringedBob: {
    edge: [-30, -30, -30, 2, 84, 92, 96, 98],
    top: 15,
    sides: 11,
    rim: 7,
    ends: 12,
    flare: 8,
    curl: 0,
    curlScale: 0.05,
    ragged: 4,
  },
  long: {
    edge: [-76, -73, -60, -4, 165, 205, 220, 225],
    top: 14,
    sides: 9,
    rim: 4,
    ends: 10,
    flare: 14,
    curl: 0,
    curlScale: 0.04,
    ragged: 8,
  },
  wavy: {
    edge: [-74, -71, -58, -4, 150, 190, 210, 215],
    top: 18,
    sides: 14,
    rim: 6,
    ends: 14,
    flare: 18,
    curl: 5,
    curlScale: 0.05,
    ragged: 10,
  },
  longCurly: {
    edge: [-70, -68, -58, -6, 120, 150, 160, 165],
    top: 26,
    sides: 24,
    rim: 9,
    ends: 22,
    flare: 18,
    curl: 7,
    curlScale: 0.1,
    ragged: 10,
  },
  tied: {
    ...CROPPED,
    edge: [-75, -73, -67, -46, 0, -20, 40, 52],
    top: 5,
    sides: 3,
    rim: 2.5,
    ends: 2,
  },
} as const satisfies Readonly<Record<string, Style>>;

type StyleName = keyof typeof STYLES | "bald";

const MANLY: readonly StyleName[] = [
  "buzz",
  "short",
  "short",
  "short",
  "quiff",
  "quiff",
  "curly",
  "fringe",
  "receding",
  "bald",
  "long",
];
const WOMANLY: readonly StyleName[] = [
  "long",
  "long",
  "long",
  "wavy",
  "wavy",
  "bob",
  "bob",
  "fringedBob",
  "longCurly",
  "tied",
  "tied",
  "short",
];

/** A bald head keeps a shadow of hair that lies inside the skull. */
const BALD: Style = { ...STYLES.buzz, top: -6, sides: -6, rim: -6, ends: -6 };

const COLORS = {
  black: 0x15110f,
  darkBrown: 0x2b1b12,
  brown: 0x4b2f1d,
  lightBrown: 0x76502f,
  blond: 0xb48a55,
  fair: 0xd4b27c,
  red: 0x8f3f1b,
  auburn: 0x56241a,
  grey: 0x8c8884,
  white: 0xcdc9c4,
} as const;

/** Draws a hair colour that goes with a skin tone (0 light, 1 dark) and an age (0 to 1). */
export const drawHairColor = (draw: Draw, tone: number, age: number): Vec3 => {
  const dark = ["black", "black", "darkBrown"] as const;
  const light = [
    "darkBrown",
    "brown",
    "brown",
    "lightBrown",
    "blond",
    "fair",
    "red",
    "auburn",
  ] as const;
  const middle = ["black", "darkBrown", "darkBrown", "brown", "lightBrown", "blond"] as const;
  const own = linear(COLORS[draw.pick(tone > 0.6 ? dark : tone > 0.35 ? middle : light)]);
  const dyed = draw.uniform() < 0.04
    ? linear(draw.pick([0xb04a7a, 0x3a5f9a, 0x2f7a62, 0x7a3a8a]))
    : own;
  const grey = linear(draw.uniform() < 0.5 ? COLORS.grey : COLORS.white);
  const greying = age > 0.62 && draw.uniform() < 0.6 ? draw.uniform(0.3, 1) : 0;
  const bright = draw.uniform(0.8, 1.25);
  const [r, g, b] = lerp3(dyed, grey, greying);
  return [r * bright, g * bright, b * bright];
};

/** Draws a hairstyle in that colour. */
export const drawHair = (
  draw: Draw,
  manly: number,
  age: number,
  tone: number,
  color: Vec3,
): Hair => {
  const choice = draw.pick(manly > 0.5 ? MANLY : WOMANLY);
  const afro = tone > 0.6 && draw.uniform() < 0.4;
  const aged = choice === "short" && age > 0.6 && manly > 0.5 && draw.uniform() < 0.5;
  const name = aged ? "receding" : afro ? draw.pick(["afro", "buzz", "curly"] as const) : choice;
  const style: Style = name === "bald" ? BALD : STYLES[name];
  const volume = draw.uniform(0.75, 1.25), line = draw.uniform(-4, 4), ends = draw.uniform(-14, 14);
  return {
    ...style,
    edge: style.edge.map((y, i) => y + (i < 4 ? line : y > 70 ? ends : 0)),
    top: style.top > 0 ? style.top * volume : style.top,
    sides: style.sides > 0 ? style.sides * volume : style.sides,
    color,
    streak: [color[0] * 1.9 + 0.012, color[1] * 1.75 + 0.009, color[2] * 1.6 + 0.007],
    parting: draw.uniform() < 0.35 ? 0 : draw.uniform(-1, 1),
    shine: draw.uniform(0.4, 1.2),
  };
};
