/**
 * How a product is shared out: the tile of a workgroup, and into how many workgroups the terms of
 * one tile are cut. Every plan gives the same sums; cutting changes their order, so the last bits.
 *
 * @module
 */
import { depth, down, heightOf, type Tile, widthOf } from "./tile.ts";

/** A way to share a product out. */
export interface Plan {
  readonly tile: Tile;
  /** Where a product has fewer tiles, its terms are cut until there are so many workgroups. */
  readonly groups: number;
}

/** How large a product is: [rows, terms] · [terms, columns]. */
export interface Extent {
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
}

/** Workgroups that keep a large GPU busy, and the fewest terms worth a workgroup. */
const enoughGroups = 256;
const fewestTerms = 128;

const wide: Tile = { across: 8, quads: 2, rows: 8 };
const narrow: Tile = { across: 8, quads: 1, rows: 8 };
const narrowest: Tile = { across: 4, quads: 1, rows: 8 };

/** All tiles that there are shaders for. */
export const tiles: readonly Tile[] = [
  wide,
  narrow,
  narrowest,
  { across: 4, quads: 2, rows: 8 },
  { across: 8, quads: 2, rows: 4 },
  { across: 8, quads: 1, rows: 4 },
  { across: 4, quads: 1, rows: 4 },
];

/** What is taken without measuring: the narrowest tile that holds the columns wastes nothing. */
export const standardPlan = ({ columns }: Extent): Plan => ({
  tile: columns > 32 ? wide : columns > 16 ? narrow : narrowest,
  groups: enoughGroups,
});

/** Tiles of a product in both directions. */
export const tilesOf = ({ rows, columns }: Extent, { tile }: Plan): readonly [number, number] => [
  Math.ceil(rows / heightOf(tile)),
  Math.ceil(columns / widthOf(tile)),
];

/** Terms of one workgroup; `most` workgroups may have partial sums of one tile. */
export const shareOf = (extent: Extent, plan: Plan, most: number): number => {
  const [below, beside] = tilesOf(extent, plan);
  const wanted = Math.min(
    Math.ceil(plan.groups / (below * beside)),
    Math.ceil(extent.terms / fewestTerms),
    Math.floor(most),
  );
  return Math.ceil(extent.terms / Math.max(1, wanted) / depth) * depth;
};

/** Other tiles worth a measurement: not those that would mostly compute zeros. */
export const otherTiles = (extent: Extent, { tile: known, groups }: Plan): readonly Plan[] =>
  tiles.filter((tile) =>
    tile !== known &&
    (widthOf(tile) < 2 * extent.columns || widthOf(tile) === widthOf(narrowest)) &&
    (heightOf(tile) < 2 * extent.rows || heightOf(tile) === 4 * down)
  ).map((tile) => ({ tile, groups }));

/** Other cuts worth a measurement: those that differ. */
export const otherCuts = (extent: Extent, { tile, groups }: Plan): readonly Plan[] => {
  const seen = new Set([shareOf(extent, { tile, groups }, Infinity)]);
  return [1, enoughGroups / 4, 4 * enoughGroups].map((groups) => ({ tile, groups }))
    .filter((plan) => {
      const share = shareOf(extent, plan, Infinity);
      return !seen.has(share) && seen.add(share);
    });
};

/** A plan as text: threads across × quads × rows, workgroups. */
export const nameOf = ({ tile: { across, quads, rows }, groups }: Plan): string =>
  `${across}x${quads}x${rows}/${groups}`;

/** The opposite of {@link nameOf}; nothing where there is no such tile. */
export const planNamed = (name: string): Plan | undefined => {
  const groups = Number(name.split("/")[1]);
  const tile = tiles.find((tile) => nameOf({ tile, groups }) === name);
  return tile && Number.isInteger(groups) && groups > 0 ? { tile, groups } : undefined;
};
