/**
 * Times in the shape of the paper's table 2, for people and programs.
 *
 * @module
 */
import type { PresetName } from "../../../models/presets.ts";
import type { Effort, Timing } from "./timed_learning.ts";

/** One cell of the table. */
export interface TimeRow extends Timing {
  /** Which half of the table. */
  readonly part: "few-shot learning" | "inference";
  /** What the table calls the method. */
  readonly method: string;
  /** T; a frame has none. */
  readonly shots?: number;
  /** "untrained", or the run whose networks were timed. */
  readonly networks: string;
}

/** What was measured, and on what; also in `table.json`. */
export interface Table2Report {
  /** Sizes of the networks. */
  readonly preset: PresetName;
  /** The backend's device and the processor. */
  readonly device: string;
  /** What each cell was allowed. */
  readonly effort: Effort;
  /** What fine-tuning compares pictures in. */
  readonly content: readonly string[];
  /** The table. */
  readonly rows: readonly TimeRow[];
  /** The most memory that the process held, in bytes: of all methods in turn. */
  readonly peakBytes: number;
}

const nameOf = ({ method, shots }: TimeRow): string =>
  shots === undefined ? method : `${method} (${shots})`;

const howMany = ({ iterations, projected }: TimeRow): string =>
  projected ? `${iterations}, projected` : `${iterations}`;

/** Three digits that count, and no exponent: 0.0123, 1.23, 123. */
const threeDigits = (seconds: number): string =>
  seconds >= 100 ? seconds.toFixed(0) : Number(seconds.toPrecision(3)).toString();

/** The table in Markdown, with what it was measured on. */
export const timesToMarkdown = (report: Table2Report): string => {
  const { preset, device, effort, content, rows } = report;
  const networks = [...new Set(rows.map((row) => `${row.method}: ${row.networks}`))];
  const parts = Map.groupBy(rows, ({ part }) => part);
  const lines = [...parts].flatMap(([part, ofPart]) => [
    [`**${part}**`, "", ""],
    ...ofPart.map((row) => [nameOf(row), threeDigits(row.seconds), howMany(row)]),
  ]);
  const head = ["method (T)", "time, s ↓", "iterations"];
  const table = [head, head.map(() => "---"), ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return [
    `${preset} on ${device}: medians of at most ${effort.iterations} iterations or ` +
    `${effort.seconds} seconds a cell, warm-up excluded; where one fine-tuning alone is longer, ` +
    `its time is projected from short ones. Networks: ${networks.join("; ")}; content: ` +
    `${content.join(", ")}. Peak memory ${(report.peakBytes / 2 ** 20).toFixed(0)} MiB.`,
    table,
  ].join("\n\n");
};

/** The table in CSV. */
export const timesToCsv = (rows: readonly TimeRow[]): string => {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map(({ part, method, shots, seconds, iterations, projected, networks }) => [
    ...[part, method, shots ?? "", seconds, iterations, projected, quoted(networks)],
  ]);
  const head = ["part", "method", "shots", "seconds", "iterations", "projected", "networks"];
  return [head, ...lines].map((cells) => cells.join(",")).join("\n") + "\n";
};
