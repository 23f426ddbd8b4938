/**
 * The curves of a run as one SVG picture.
 *
 * @module
 */
import * as Plot from "npm:@observablehq/plot@0.6.17";
import { parseHTML } from "npm:linkedom@0.18.12";
import type { Curves, Point } from "./curves.ts";

/** One diagram of the picture. */
interface Panel {
  readonly title: string;
  readonly points: readonly Point[];
  readonly logarithmic: boolean;
}

const groups: readonly (readonly [title: string, names: RegExp, logarithmic: boolean])[] = [
  ["Content loss", /^content\//, false],
  ["Other terms of E, G and P", /^(adversarial|featureMatching|match)$/, false],
  ["Discriminator: loss and scores", /^(discriminator|fakeScore|realScore)$/, false],
  ["Norms of gradients", /Gradient$/, true],
  ["Share of dead units in the embedding", /^deadUnits$/, false],
];
/** Flags are no curves. */
const unseenTitle = "People never trained on", flags = /Finite$/;

const panelsOf = ({ training, unseen }: Curves): readonly Panel[] => {
  const known = (name: string): boolean => groups.some(([, names]) => names.test(name));
  return [
    ...groups.map(([title, names, logarithmic]) => ({
      title,
      points: training.filter(({ name }) => names.test(name)),
      logarithmic,
    })),
    {
      title: "Other figures",
      points: training.filter(({ name }) => !known(name) && !flags.test(name)),
      logarithmic: false,
    },
    { title: unseenTitle, points: unseen, logarithmic: false },
  ].filter(({ points }) => points.length > 0);
};

const width = 560, height = 280, columns = 2, titleHeight = 40;

/** Steps that a point of the smooth curve is the mean of. */
const windowOf = (points: readonly Point[]): number =>
  Math.max(1, Math.round(new Set(points.map(({ step }) => step)).size / 40));

/** Points of a curve that a picture can show. */
const mostPoints = 600;

/** At most so many points a curve: each the mean of those that are drawn at one place. */
const thinned = (points: readonly Point[], steps: number): readonly Point[] => {
  if (steps <= mostPoints) return points;
  const bins = new Map<string, { readonly first: Point; readonly values: number[] }>();
  for (const point of points) {
    const key = `${point.name} ${Math.floor(point.step / steps * mostPoints)}`;
    const bin = bins.get(key);
    if (bin) bin.values.push(point.value);
    else bins.set(key, { first: point, values: [point.value] });
  }
  return [...bins.values()].map(({ first, values }) => ({
    ...first,
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
  }));
};

/** The range of all values but a hundredth at each end, so that one outlier hides nothing. */
const mostOf = (points: readonly Point[]): readonly [number, number] => {
  const sorted = points.map(({ value }) => value).toSorted((a, b) => a - b);
  const cut = Math.floor(sorted.length / 100);
  return [sorted[cut] ?? 0, sorted[sorted.length - 1 - cut] ?? 1];
};

/** The part of a browser's document that the plotting package uses; types are its affair. */
type Page = NonNullable<Plot.PlotOptions["document"]>;

const drawPanel = (
  document: Page,
  { title, points, logarithmic }: Panel,
  { rollbacks }: Curves,
  steps: number,
): ReturnType<typeof Plot.plot> => {
  const shown = thinned(logarithmic ? points.filter(({ value }) => value > 0) : points, steps);
  const k = windowOf(shown), axes = { x: "step", y: "value", z: "name", stroke: "name" } as const;
  const smooth = Plot.windowY({ k, anchor: "middle" }, { ...axes, strokeWidth: 1.8, clip: true });
  const names = [...new Set(points.map(({ name }) => name))];
  return Plot.plot({
    ...{ document, width, height, title: undefined, marginRight: 150, marginTop: 34 },
    x: { domain: [0, steps], label: "step", grid: true },
    y: {
      ...{ type: logarithmic ? "log" : "linear", label: null, grid: true },
      domain: mostOf(shown),
    },
    color: { domain: names },
    marks: [
      Plot.frame({ stroke: "#ddd" }),
      Plot.ruleX([...rollbacks], { stroke: "#c00", strokeDasharray: "3,3" }),
      ...(k > 1
        ? [Plot.lineY(shown, { ...axes, strokeWidth: 0.6, strokeOpacity: 0.3, clip: true })]
        : []),
      Plot.lineY(shown, smooth),
      ...names.map((name, i) =>
        Plot.text([{ name }], {
          ...{ text: ({ name }: { readonly name: string }) => `— ${name}`, fill: "name" },
          ...{ frameAnchor: "top-right", textAnchor: "start", dx: 8, dy: 4 + 16 * i },
        })
      ),
      Plot.text([title], { frameAnchor: "top-left", dy: -24, fontSize: 13, fontWeight: "bold" }),
    ],
  });
};

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** Puts diagrams under a title, two a row. */
const sheetOf = <A>(
  panels: readonly A[],
  title: string,
  draw: (document: Page, panel: A) => ReturnType<typeof Plot.plot>,
): string => {
  const { document } = parseHTML("<html><body></body></html>") as unknown as {
    readonly document: Page;
  };
  const drawn = panels.map((panel, i) => {
    const element = draw(document, panel);
    element.setAttribute("x", String(width * (i % columns)));
    element.setAttribute("y", String(titleHeight + height * Math.floor(i / columns)));
    return element.outerHTML;
  });
  const all = [
    width * Math.min(columns, Math.max(1, panels.length)),
    titleHeight + height * Math.ceil(panels.length / columns),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${all[0]}" height="${all[1]}" ` +
    `viewBox="0 0 ${all.join(" ")}" font-family="system-ui, sans-serif">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="16" y="27" font-size="17">${escape(title)}</text>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
};

/** Draws the curves of a run, one diagram a kind of figure; the text of an SVG file. */
export const drawCurves = (curves: Curves, title: string): string => {
  const steps = [...curves.training, ...curves.unseen]
    .reduce((most, { step }) => Math.max(most, step), 1);
  return sheetOf(
    panelsOf(curves),
    title,
    (document, panel) => drawPanel(document, panel, curves, steps),
  );
};

/** What something costs against one setting of it. */
export interface CostCurve {
  /** What is measured, with its unit. */
  readonly title: string;
  /** The setting, with its unit. */
  readonly axis: string;
  /** Whether both axes are logarithmic: for settings and costs of several sizes. */
  readonly logarithmic: boolean;
  readonly points: readonly { readonly at: number; readonly cost: number }[];
}

const drawCost = (document: Page, { title, axis, logarithmic, points }: CostCurve) => {
  const type = logarithmic ? "log" : "linear", places = { x: "at", y: "cost" } as const;
  const settings = [...new Set(points.map(({ at }) => at))];
  return Plot.plot({
    ...{ document, width, height, title: undefined, marginRight: 40, marginTop: 34 },
    ...{ marginLeft: 60, marginBottom: 40 },
    x: { type, label: axis, ticks: settings, tickFormat: String, inset: 16 },
    y: {
      type,
      label: null,
      grid: true,
      zero: !logarithmic,
      ticks: 6,
      tickFormat: "~g",
      nice: true,
    },
    marks: [
      Plot.frame({ stroke: "#ddd" }),
      Plot.lineY(points, { ...places, stroke: "#36c", strokeWidth: 1.8 }),
      Plot.dot(points, { ...places, fill: "#36c", r: 3.5 }),
      Plot.text(points, {
        ...{ ...places, dy: -12, fontSize: 11 },
        text: ({ cost }: { readonly cost: number }) => String(Number(cost.toPrecision(3))),
      }),
      Plot.text([title], { frameAnchor: "top-left", dy: -24, fontSize: 13, fontWeight: "bold" }),
    ],
  });
};

/** Draws what something costs, one diagram a setting; the text of an SVG file. */
export const drawCosts = (curves: readonly CostCurve[], title: string): string =>
  sheetOf(curves, title, drawCost);
