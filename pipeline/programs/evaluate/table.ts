/**
 * Figures of frames → the table of the paper's section 4.2, as text for people and programs.
 *
 * @module
 */
import type { Rng } from "../../core/rng.ts";
import { bootstrapInterval, type Interval } from "../../metrics/bootstrap.ts";
import { type Figured, forFigures, type FrameFigures, namesOf } from "./frame_figures.ts";

/** The figures of one person, one T and one answer. */
export interface Measured {
  /** Whose frames. */
  readonly identity: string;
  /** T. */
  readonly shots: number;
  /** The row. */
  readonly answer: string;
  /** One for each hold-out frame. */
  readonly frames: readonly FrameFigures[];
}

/** One row of the table. */
export interface Row {
  /** T. */
  readonly shots: number;
  /** Who answered. */
  readonly answer: string;
  /** How many people. */
  readonly people: number;
  /** How many frames. */
  readonly frames: number;
  /** Means over the frames with 95 % bootstrap intervals over people. */
  readonly figures: Figured<Interval>;
  /** Distances between distributions of features, where Inception's weights were given. */
  readonly distances?: { readonly frechet: Interval; readonly kernel: Interval };
}

/** Rows with the distances that belong to them. */
export const withDistances = (
  rows: readonly Row[],
  distances: ReadonlyMap<Row, Required<Row>["distances"]>,
): readonly Row[] =>
  rows.map((row) => {
    const known = distances.get(row);
    return known ? { ...row, distances: known } : row;
  });

/** One row a T and answer, in the order in which they first come. */
export const tabulate = (measured: readonly Measured[], rng: Rng): readonly Row[] => {
  const groups = Map.groupBy(measured, ({ shots, answer }) => `${shots}\n${answer}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const interval = (of: (figures: FrameFigures) => number): Interval => {
      const people = Map.groupBy(group, ({ identity }) => identity);
      const values = new Map(
        [...people].map(([identity, parts]) => [
          identity,
          parts.flatMap(({ frames }) => frames.map(of)),
        ]),
      );
      return bootstrapInterval(values, rng);
    };
    return [{
      shots: first.shots,
      answer: first.answer,
      people: new Set(group.map(({ identity }) => identity)).size,
      frames: group.reduce((sum, { frames }) => sum + frames.length, 0),
      figures: forFigures(group.flatMap(({ frames }) => frames), interval),
    }];
  }).toSorted((a, b) => a.shots - b.shots);
};

const titles = {
  ssim: "SSIM ↑",
  csim: "CSIM ↑",
  l1: "L1 ↓",
  landmarkError: "landmark error ↓",
  undetected: "no face found ↓",
  lpips: "LPIPS ↓",
} as const;

const withInterval = (interval: Interval | undefined, digits = 3): string => {
  if (!interval) return "";
  const [mean, low, high] = [interval.mean, interval.low, interval.high]
    .map((value) => value.toFixed(digits));
  return `${mean} [${low}, ${high}]`;
};

/** The table in Markdown, intervals in brackets. */
export const toMarkdown = (rows: readonly Row[]): string => {
  const names = namesOf(rows);
  const head = [
    ...["T", "answer", "people", "frames", ...names.map((name) => titles[name])],
    ...(rows.some((row) => row.distances) ? ["Fréchet distance ↓", "kernel distance ↓"] : []),
  ];
  const lines = rows.map(({ shots, answer, people, frames, figures, distances }) => [
    shots,
    answer,
    people,
    frames,
    ...names.map((name) => withInterval(figures[name])),
    ...(distances ? [withInterval(distances.frechet), withInterval(distances.kernel, 5)] : []),
  ]);
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
};

/** The table in CSV: mean, lower and upper end of each figure. */
export const toCsv = (rows: readonly Row[]): string => {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const names = namesOf(rows);
  const head = [...names, "frechet", "kernel"]
    .flatMap((name) => [name, `${name}_low`, `${name}_high`]);
  const lines = rows.map(({ shots, answer, people, frames, figures, distances }) => [
    shots,
    quoted(answer),
    people,
    frames,
    ...[...names.map((name) => figures[name]), distances?.frechet, distances?.kernel]
      .flatMap((found) => [found?.mean ?? "", found?.low ?? "", found?.high ?? ""]),
  ]);
  return [["shots", "answer", "people", "frames", ...head], ...lines]
    .map((cells) => cells.join(",")).join("\n") + "\n";
};
