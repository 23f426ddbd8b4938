/**
 * A frame of a scene as a picture with its landmarks.
 *
 * @module
 */
import type { Frame } from "../../pipeline/core/image.ts";
import { paintBackground } from "./background.ts";
import {
  collarMesh,
  earMesh,
  hasCollar,
  makeEarShader,
  makeNeckShader,
  neckMesh,
  neckMover,
  torsoMesh,
} from "./body.ts";
import { makeClothShader, makeCollarShader } from "./clothes.ts";
import { type Expression, NEUTRAL, type Pose } from "./expression.ts";
import { glassesMeshes, makeFrameShader } from "./glasses.ts";
import { hairMesh, makeHairShader } from "./hair.ts";
import { headMesh, makeHead } from "./head.ts";
import { headLandmarks } from "./landmarks.ts";
import { makeLighting, skinLighting, toSrgb } from "./light.ts";
import { type Mesh, type Mover, poseMesh } from "./mesh.ts";
import { drawMesh, makeVisibility, type Shader, shadeVisible } from "./raster.ts";
import { bodyMover, headMover, type Scene } from "./scene.ts";
import { makeSkinShader } from "./skin.ts";

/** Samples a pixel in each direction: more where pixels are few. */
const samplesAt = (size: number): number => size <= 128 ? 3 : 2;

interface Part {
  readonly mesh: Mesh;
  readonly move: (onHead: Mover, onBody: Mover) => Mover;
  readonly shade: Shader;
}

const withHead = (onHead: Mover): Mover => onHead;
const withBody = (_onHead: Mover, onBody: Mover): Mover => onBody;

/** What does not change its form through a video: all but the face. */
const lastingParts = (scene: Scene): readonly Part[] => {
  const { identity, light, clothes } = scene, { shape, form, complexion, build } = identity;
  const head = makeHead(shape, form, NEUTRAL);
  const skin = skinLighting(light),
    cloth = makeLighting(light, { wrap: 0.2, shine: 0.06, gloss: 10 });
  const strands = makeLighting(light, { wrap: 0.25, shine: 0.22, gloss: 16 });
  const ear = makeEarShader(complexion.skin, skin);
  const { glasses, hair } = identity, collared = hasCollar(clothes.neckline);
  return [
    { mesh: earMesh(head, build, -1), move: withHead, shade: ear },
    { mesh: earMesh(head, build, 1), move: withHead, shade: ear },
    {
      mesh: neckMesh(build),
      move: neckMover,
      shade: makeNeckShader(complexion.skin, 112, skin),
    },
    {
      mesh: torsoMesh(build),
      move: withBody,
      shade: makeClothShader(clothes, complexion.skin, cloth),
    },
    {
      mesh: hairMesh(shape, hair),
      move: withHead,
      shade: makeHairShader(hair, complexion.skin, strands),
    },
    ...(collared ? [collarMesh(build, clothes.neckline)] : []).map((mesh) => ({
      mesh,
      move: withBody,
      shade: makeCollarShader(clothes, cloth),
    })),
    ...(glasses === undefined ? [] : glassesMeshes(head, glasses).map((mesh) => ({
      mesh,
      move: withHead,
      shade: makeFrameShader(glasses, cloth),
    }))),
  ];
};

/** Paints frames of one scene. */
export type Renderer = (pose: Pose, expression: Expression, size: number) => Frame;

/** Prepares a scene for painting: what stays the same in all of its frames is computed once. */
export const makeRenderer = (scene: Scene): Renderer => {
  const { identity, light, camera } = scene, { shape, form, complexion } = identity;
  const lasting = lastingParts(scene), skin = skinLighting(light);
  const backgrounds = new Map<number, Float32Array>();
  const backgroundOf = (size: number): Float32Array => {
    const known = backgrounds.get(size) ?? paintBackground(scene.background, size);
    backgrounds.set(size, known);
    return known;
  };
  return (pose, expression, size) => {
    const head = makeHead(shape, form, expression), onHead = headMover(pose);
    const onBody = bodyMover(pose), soft = 0.4 * camera.side / size;
    const parts: readonly Part[] = [{
      mesh: headMesh(head),
      move: withHead,
      shade: makeSkinShader(head, complexion, expression.smile, skin, soft),
    }, ...lasting];
    const samples = samplesAt(size), seen = makeVisibility(size * samples);
    parts.forEach(({ mesh, move }, id) => {
      poseMesh(mesh, move(onHead, onBody));
      drawMesh(seen, mesh, id, camera);
    });
    const { sum, covered } = shadeVisible(
      seen,
      parts.map(({ mesh }) => mesh),
      parts.map(({ shade }) => shade),
      samples,
    );
    const background = backgroundOf(size), all = samples * samples;
    const data = new Uint8Array(size * size * 3);
    for (let i = 0; i < data.length; i++) {
      const behind = all - covered[Math.floor(i / 3)]!;
      data[i] = toSrgb((sum[i]! + behind * background[i]!) / all);
    }
    return {
      image: { width: size, height: size, channels: 3, data },
      landmarks: headLandmarks(head, onHead, camera, size),
    };
  };
};

/** Paints a scene at a time in seconds. */
export const renderAt = (scene: Scene, render: Renderer, seconds: number, size: number): Frame =>
  render(scene.trajectory.pose(seconds), scene.trajectory.expression(seconds), size);
