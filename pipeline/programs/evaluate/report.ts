/**
 * One HTML page with everything in it, to be opened or mailed as it is.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Interval } from "../../metrics/bootstrap.ts";
import type { Difference } from "./differences.ts";
import { namesOf } from "./frame_figures.ts";
import type { TooShort } from "./protocol.ts";
import type { Unanswered } from "./store.ts";
import type { Row } from "./table.ts";

/** What the page shows. */
export interface ReportParts {
  /** What was evaluated on, in words. */
  readonly about: string;
  /** The table. */
  readonly rows: readonly Row[];
  /** Answer against answer on the same frames. */
  readonly differences: readonly Difference[];
  /** Columns of the grids, after source, landmarks and truth. */
  readonly columns: readonly string[];
  /** Comparison pictures: T and the bytes of a PNG. */
  readonly grids: readonly { readonly shots: number; readonly png: Uint8Array }[];
  /** Who has too few frames. */
  readonly tooShort: readonly TooShort[];
  /** What could not be answered. */
  readonly unanswered: readonly Unanswered[];
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const list = (lines: readonly string[]): string =>
  lines.length === 0
    ? "<p>none</p>"
    : `<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`;

const cellOf = (interval: Interval | undefined, digits = 3): string => {
  if (!interval) return "<td></td>";
  const [mean, low, high] = [interval.mean, interval.low, interval.high]
    .map((value) => value.toFixed(digits));
  return `<td>${mean}<br><small>${low} to ${high}</small></td>`;
};

const table = (rows: readonly Row[]): string => {
  const withDistances = rows.some(({ distances }) => distances), names = namesOf(rows);
  const head = [
    ...["T", "answer", "people", "frames", ...names],
    ...(withDistances ? ["Fréchet distance", "kernel distance"] : []),
  ].map((name) => `<th>${name}</th>`).join("");
  const body = rows.map(({ shots, answer, people, frames, figures, distances }) => {
    const cells = [shots, escaped(answer), people, frames].map((cell) => `<td>${cell}</td>`);
    const values = names.map((name) => cellOf(figures[name]));
    const far = distances ? [cellOf(distances.frechet, 2), cellOf(distances.kernel, 4)] : [];
    return `<tr>${[...cells, ...values, ...far].join("")}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
};

const differenceTable = (differences: readonly Difference[]): string => {
  const names = namesOf(differences);
  const head = ["T", "answer", "minus", "people", ...names]
    .map((name) => `<th>${name}</th>`).join("");
  const body = differences.map(({ shots, answer, minus, people, figures }) => {
    const cells = [shots, escaped(answer), escaped(minus), people].map((cell) =>
      `<td>${cell}</td>`
    );
    const values = names.map((name) => cellOf(figures[name]));
    return `<tr>${[...cells, ...values].join("")}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
};

/** How somebody with too few frames is told of. */
export const describeTooShort = ({ key, shots, frames, needed }: TooShort): string =>
  `${key}: ${frames} frames, T = ${shots} needs ${needed}`;

/** How an answer that was not given is told of. */
export const describeUnanswered = ({ key, shots, answer, problem }: Unanswered): string =>
  `${key}, T = ${shots}${answer ? `, ${answer}` : ""}: ${problem}`;

/** The page. */
export const toHtml = (
  { about, rows, differences, columns, grids, tooShort, unanswered }: ReportParts,
): string =>
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Headshot evaluation</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { padding: .3rem .7rem; text-align: right; }
th { border-bottom: 2px solid; } td:nth-child(2), th:nth-child(2) { text-align: left; }
tr:nth-child(even) { background: #8881; } img { max-width: 100%; image-rendering: pixelated; }
</style>
<h1>Evaluation</h1>
<p>${escaped(about)} Means over frames with 95 % bootstrap intervals over people; landmark error in
eye distances, a face that is not found counts as 1.</p>
${table(rows)}
<h2>Answer against answer, on the same frames</h2>
${differences.length === 0 ? "<p>none</p>" : differenceTable(differences)}
${
    grids.map(({ shots, png }) =>
      `<h2>T = ${shots}</h2><p>Source, landmarks, truth, ${escaped(columns.join(", "))}.</p>` +
      `<img alt="Answers for T = ${shots}" src="data:image/png;base64,${
        Buffer.from(png).toString("base64")
      }">`
    ).join("\n")
  }
<h2>Too few frames</h2>${list(tooShort.map(describeTooShort))}
<h2>Not answered</h2>${list(unanswered.map(describeUnanswered))}
</html>
`;
