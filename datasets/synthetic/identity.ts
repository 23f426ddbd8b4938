/**
 * People: everything that stays with a person from video to video, drawn from one stream.
 *
 * @module
 */
import type { Draw, Rng } from "../../pipeline/core/rng.ts";
import type { Build } from "./body.ts";
import type { FeatureForm } from "./features.ts";
import type { Glasses } from "./glasses.ts";
import type { Hair } from "./hair.ts";
import { drawHair, drawHairColor } from "./hair_styles.ts";
import type { HeadShape } from "./head_shape.ts";
import { linear } from "./light.ts";
import type { Beard, Complexion } from "./complexion.ts";
import { clamp, lerp, lerp3, type Vec3 } from "./vector.ts";

/** A person. */
export interface Identity {
  readonly shape: HeadShape;
  readonly form: FeatureForm;
  readonly complexion: Complexion;
  readonly hair: Hair;
  readonly build: Build;
  readonly glasses: Glasses | undefined;
}

/** From light to dark. */
const SKIN: readonly Vec3[] = [
  0xf3d6c4,
  0xebc3a9,
  0xdfad8b,
  0xcf9873,
  0xb98159,
  0x9d6844,
  0x7f5033,
  0x623c27,
  0x4a2c1d,
].map(linear);

const IRIS: readonly Vec3[] = [0x2b1a10, 0x3d2414, 0x5f3c1c, 0x6b6a3a, 0x5b7f8c, 0x6f93b5, 0x7a8a8f]
  .map(linear);

/** A normal deviate, at most two from 0: nobody is a monster. */
const deviate = (draw: Draw): number => clamp(draw.normal(), -2, 2);

const drawShape = (draw: Draw, manly: number, age: number): HeadShape => {
  const heavy = deviate(draw);
  return {
    width: 1 + 0.03 * deviate(draw) + 0.012 * heavy,
    jaw: 0.965 + 0.13 * (manly - 0.5) + 0.05 * deviate(draw) + 0.03 * heavy,
    cheeks: 1 + 0.02 * deviate(draw) + 0.015 * heavy,
    length: 1 + 0.04 * deviate(draw) + 0.025 * (manly - 0.5),
    chin: 1.6 * deviate(draw) + 3.5 * (manly - 0.5),
    forehead: 2.5 * deviate(draw),
    squareness: 0.09 * deviate(draw) + 0.08 * (manly - 0.5),
    browRidge: 2.2 * (manly - 0.4) + 0.8 * deviate(draw),
    eyeDepth: 1.3 * deviate(draw) + 1.2 * age,
    fullness: 1.2 * heavy + 0.7 * deviate(draw) - 1.2 * age,
    noseWidth: 1 + 0.1 * deviate(draw) + 0.06 * (manly - 0.5),
    noseHeight: 1 + 0.11 * deviate(draw) + 0.08 * (manly - 0.5),
    noseTip: 1.3 * deviate(draw) - 1.2 * (0.5 - manly),
    noseHump: 1.1 * deviate(draw) + 0.8 * (manly - 0.5),
    lipDepth: 0.7 * deviate(draw),
  };
};

const drawForm = (draw: Draw, manly: number, age: number, tone: number): FeatureForm => ({
  eyeX: 31 + 1.3 * deviate(draw),
  eyeWidth: 1 + 0.05 * deviate(draw),
  eyeOpening: 1.04 + 0.13 * deviate(draw) - 0.16 * (manly - 0.5) - 0.1 * age,
  eyeTilt: 1 + 1.3 * deviate(draw),
  lidFold: clamp(3.4 + 1.5 * deviate(draw), 0.4, 6.5),
  browHeight: 1.5 + 1.6 * deviate(draw) - 3 * (manly - 0.5),
  browThickness: clamp(1 + 0.26 * deviate(draw) + 0.7 * (manly - 0.5), 0.45, 1.8),
  browArch: clamp(3.2 + 1.3 * deviate(draw) - 2 * (manly - 0.5), 0.4, 6),
  browTilt: 1.2 * deviate(draw),
  browLength: 1 + 0.04 * deviate(draw),
  mouthY: 1.4 * deviate(draw),
  mouthWidth: 1 + 0.07 * deviate(draw),
  upperLip: clamp(0.92 + 0.2 * deviate(draw) - 0.3 * (manly - 0.5) + 0.25 * (tone - 0.4), 0.4, 1.6),
  lowerLip: clamp(
    0.98 + 0.15 * deviate(draw) - 0.22 * (manly - 0.5) + 0.2 * (tone - 0.4),
    0.5,
    1.6,
  ),
  cupidBow: clamp(0.6 + 0.4 * deviate(draw), 0, 1.4),
  noseLength: 1 + 0.04 * deviate(draw),
});

const drawBeard = (draw: Draw, manly: number, color: Vec3): Beard => {
  const kinds = ["none", "stubble", "moustache", "goatee", "full"] as const;
  const kind = manly > 0.55 && draw.uniform() < 0.62 ? draw.pick(kinds.slice(1)) : "none";
  const dense = draw.uniform(0.7, 0.95), sparse = draw.uniform(0.2, 0.5);
  switch (kind) {
    case "none":
      return { color, moustache: 0, chin: 0, cheeks: 0 };
    case "stubble":
      return { color, moustache: sparse, chin: sparse, cheeks: sparse * 0.85 };
    case "moustache":
      return { color, moustache: dense, chin: 0, cheeks: 0 };
    case "goatee":
      return { color, moustache: dense, chin: dense, cheeks: draw.uniform() < 0.4 ? sparse : 0 };
    case "full":
      return { color, moustache: dense, chin: dense, cheeks: dense };
  }
};

const drawGlasses = (draw: Draw): Glasses => ({
  color: draw.pick([linear(0x111111), linear(0x2b1c14), linear(0x5a1a1a), linear(0x8a7a50)]),
  rim: draw.uniform(1.4, 3.6),
  width: draw.uniform(23, 28),
  height: draw.uniform(15, 21),
  squareness: draw.uniform(2, 4.5),
});

const drawComplexion = (draw: Draw, manly: number, age: number, tone: number, hair: Vec3) => {
  const at = tone * (SKIN.length - 1), i = Math.min(SKIN.length - 2, Math.floor(at));
  const plain = lerp3(SKIN[i] ?? [0, 0, 0], SKIN[i + 1] ?? [0, 0, 0], at - i);
  const warm = 0.05 * deviate(draw), bright = 1 + 0.05 * deviate(draw);
  const skin: Vec3 = [
    plain[0] * bright * (1 + warm),
    plain[1] * bright,
    plain[2] * bright * (1 - warm),
  ];
  const painted = manly < 0.45 && draw.uniform() < 0.45;
  const lipstick = linear(draw.pick([0xa02232, 0xb0405a, 0xc05a5a, 0x7a1f35, 0xc8746a]));
  const natural: Vec3 = [skin[0] * 0.82, skin[1] * 0.5, skin[2] * 0.52];
  const irisAt = tone < 0.42 ? draw.uniform(1, IRIS.length - 1.01) : draw.uniform(0, 1.6);
  const dark = lerp3(hair, linear(0x120c09), 0.55);
  const complexion: Complexion = {
    skin,
    lips: painted ? lerp3(natural, lipstick, 0.75) : natural,
    iris: lerp3(
      IRIS[Math.floor(irisAt)] ?? [0, 0, 0],
      IRIS[Math.floor(irisAt) + 1] ?? [0, 0, 0],
      irisAt % 1,
    ),
    brows: dark,
    browDensity: clamp(0.78 + 0.14 * deviate(draw) + 0.1 * (manly - 0.5), 0.4, 1),
    blush: clamp(0.28 + 0.14 * deviate(draw), 0.05, 0.6) * (1 - 0.5 * tone),
    eyeShade: clamp(0.16 + 0.1 * deviate(draw) + 0.12 * age, 0, 0.45),
    age,
    freckles: tone < 0.4 && draw.uniform() < 0.25 ? draw.uniform(0.3, 1) : 0,
    lid: painted && draw.uniform() < 0.5
      ? lerp3(skin, linear(draw.pick([0x5a3a4a, 0x3a4a6a, 0x6a4a2a])), 0.5)
      : [skin[0] * 0.93, skin[1] * 0.86, skin[2] * 0.86],
    lashes: painted ? 1 : 0.85 - 0.25 * manly,
    beard: drawBeard(draw, manly, lerp3(hair, linear(0x1a120d), 0.35)),
  };
  return complexion;
};

/** Draws a person. */
export const drawIdentity = (rng: Rng): Identity => {
  const draw = rng.fold("person").draw();
  const manly = clamp(
    draw.uniform() < 0.5 ? draw.normal() * 0.14 + 0.2 : draw.normal() * 0.14 + 0.8,
    0,
    1,
  );
  const age = draw.uniform() ** 1.6, tone = draw.uniform() ** 1.15;
  const color = drawHairColor(rng.fold("hair color").draw(), tone, age);
  return {
    shape: drawShape(rng.fold("shape").draw(), manly, age),
    form: drawForm(rng.fold("form").draw(), manly, age, tone),
    complexion: drawComplexion(rng.fold("complexion").draw(), manly, age, tone, color),
    hair: drawHair(rng.fold("hair").draw(), manly, age, tone, color),
    build: {
      neck: lerp(0.84, 1.12, manly) + 0.04 * deviate(draw),
      shoulders: lerp(0.85, 1.05, manly) + 0.05 * deviate(draw),
      ears: 1 + 0.09 * deviate(draw),
    },
    glasses: draw.uniform() < 0.18 ? drawGlasses(rng.fold("glasses").draw()) : undefined,
  };
};
