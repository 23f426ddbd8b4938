/**
 * Where the face packages keep weights that a loss reads. Their code is not used here.
 *
 * @module
 */

/** Never called: it puts the package into the module graph, so that Deno installs it. */
export const faceResPackage = (): Promise<unknown> => import("npm:@vladmandic/human@3.3.6");

/** The manifest of FaceRes's weights: a `file:` URL. Throws where the package is not installed. */
export const faceResUrl = (): URL =>
  new URL("../models/faceres.json", import.meta.resolve("npm:@vladmandic/human@3.3.6"));
