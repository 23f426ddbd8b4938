/**
 * The surface of a head: cross-sections plus relief, as a mesh and as a function of the frontal
 * view.
 *
 * @module
 */
import type { Expression } from "./expression.ts";
import { type FeatureForm, type Features, placeFeatures } from "./features.ts";
import {
  type HeadShape,
  makeProfile,
  type Profile,
  profileAt,
  stepAtHeight,
} from "./head_shape.ts";
import { gridTriangles, makeGrid, type Mesh } from "./mesh.ts";
import { makeRelief, type Relief } from "./relief.ts";
import { smoothstep } from "./vector.ts";

/** A head with an expression, before posing. */
export interface Head {
  readonly profile: Profile;
  readonly features: Features;
  readonly relief: Relief;
}

/** Builds the head of an identity for an expression. */
export const makeHead = (shape: HeadShape, form: FeatureForm, expression: Expression): Head => {
  const features = placeFeatures(form, shape, expression);
  return {
    profile: makeProfile(shape, expression),
    features,
    relief: makeRelief(shape, features, expression.smile),
  };
};

/** Writes the point of a cross-section at an angle (0 in front, ±π behind), relief included. */
export const headPoint = (
  { profile, relief }: Head,
  step: number,
  angle: number,
  put: (x: number, y: number, z: number) => void,
): void => {
  const power = 2 / profileAt(profile.power, step), widest = profileAt(profile.widest, step);
  const s = Math.sin(angle), c = Math.cos(angle), front = Math.abs(angle) < Math.PI / 2;
  const x = profileAt(profile.w, step) * Math.sign(s) * Math.abs(s) ** power;
  const y = profileAt(profile.y, step);
  const reach = profileAt(front ? profile.front : profile.back, step) - widest;
  const bulge = Math.abs(c) ** power;
  // Towards the silhouette the relief fades out: it is defined by the view from the front.
  put(x, y, widest + reach * bulge + (front ? relief(x, y) * smoothstep(0.05, 0.45, bulge) : 0));
};

/** The surface point in front at (x, y) of the frontal view. // [x, y, z] */
export const faceSurface = (
  { profile, relief }: Head,
  x: number,
  y: number,
): readonly [number, number, number] => {
  const step = stepAtHeight(profile, y);
  const power = profileAt(profile.power, step), widest = profileAt(profile.widest, step);
  const s = Math.min(1, Math.abs(x) / profileAt(profile.w, step));
  const bulge = (1 - s ** power) ** (1 / power);
  const z = widest + (profileAt(profile.front, step) - widest) * bulge;
  return [x, y, z + relief(x, y) * smoothstep(0.05, 0.45, bulge)];
};

const FRONT_COLUMNS = 50, BACK_COLUMNS = 12, COLUMNS = FRONT_COLUMNS + BACK_COLUMNS;

/** Angles of the mesh's columns from −π to π by way of 0: dense about the nose, sparse behind. */
const ANGLES: readonly number[] = Array.from({ length: COLUMNS }, (_, i) => {
  const back = BACK_COLUMNS / 2, v = 2 * (i - back) / (FRONT_COLUMNS - 1) - 1;
  if (i < back) return -Math.PI * (1 - 0.5 * (i + 0.5) / (back + 0.5));
  if (i >= COLUMNS - back) return Math.PI * (1 - 0.5 * (COLUMNS - i - 0.5) / (back + 0.5));
  return 0.5 * Math.PI * v * (0.62 + 0.38 * Math.abs(v));
});

const ROWS = 56, TRIANGLES = gridTriangles(ROWS, COLUMNS, true);

/** Steps of the mesh's rows: dense from the brows to the chin. */
const rowStep = (row: number, steps: number): number => {
  const v = row / (ROWS - 1);
  return steps * (v < 0.2 ? v / 0.2 * 0.37 : 0.37 + (v - 0.2) / 0.8 * 0.63);
};

/** The mesh of a head, bald and without ears. Heads are symmetric: half of it is computed. */
export const headMesh = (head: Head): Mesh => {
  const mesh = makeGrid("skin", ROWS, COLUMNS, { closed: true, triangles: TRIANGLES }),
    { rest } = mesh;
  for (let row = 0; row < ROWS; row++) {
    const step = rowStep(row, head.profile.steps), start = row * COLUMNS;
    for (let column = COLUMNS / 2; column < COLUMNS; column++) {
      headPoint(head, step, ANGLES[column]!, (x, y, z) => {
        const right = 3 * (start + column), left = 3 * (start + COLUMNS - 1 - column);
        rest[right] = x;
        rest[left] = -x;
        rest[right + 1] = rest[left + 1] = y;
        rest[right + 2] = rest[left + 2] = z;
      });
    }
  }
  return mesh;
};
