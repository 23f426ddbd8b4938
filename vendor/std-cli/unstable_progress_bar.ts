/**
 * A bar on a terminal that is drawn anew every second.
 *
 * @module
 */

/** What a formatter is given. */
export interface ProgressBarFormatter {
  /** `mm:ss` since the start. */
  styledTime: string;
  /** `###-------`. */
  progressBar: string;
  /** Milliseconds since the start. */
  time: number;
  /** `time` of the last drawing. */
  previousTime: number;
  /** Where the bar stands. */
  value: number;
  /** `value` of the last drawing. */
  previousValue: number;
  /** Where it ends. */
  max: number;
}

/** The options of {@link ProgressBar}. */
export interface ProgressBarOptions {
  /** Where it is drawn; standard error by default. */
  writable?: WritableStream<Uint8Array>;
  /** Where it starts; 0 by default. */
  value?: number;
  /** Where it ends. */
  max: number;
  /** Characters of the bar; 50 by default. */
  barLength?: number;
  /** `#` by default. */
  fillChar?: string;
  /** `-` by default. */
  emptyChar?: string;
  /** Whether the bar is removed at the end; false by default. */
  clear?: boolean;
  /** Makes the line; `[mm:ss] [###---] [0.24/97.6 KiB]` by default. */
  fmt?: (fmt: ProgressBarFormatter) => string;
  /** Whether `writable` stays open at the end; true by default. */
  keepOpen?: boolean;
}

const CLEAR_LINE = "\r\u001b[K";
const EVERY_MS = 1000;

const twoDigits = (value: number): string => String(Math.floor(value)).padStart(2, "0");

const inUnits = (value: number, max: number): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = max < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(max) / 10));
  const scaled = (bytes: number) => Number((bytes / 1024 ** power).toFixed(2));
  return `${scaled(value)}/${scaled(max)} ${units[power]}`;
};

/** Draws itself every second and at {@link ProgressBar.stop}; set `value` to move it. */
export class ProgressBar {
  /** Where the bar stands. */
  value: number;
  /** Where it ends. */
  max: number;

  readonly #options: Required<Omit<ProgressBarOptions, "value" | "max">>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #start = Date.now();
  #previous = { time: 0, value: 0 };
  #drawn: Promise<void> = Promise.resolve();

  /** Draws the bar for the first time and starts its timer. */
  constructor(options: ProgressBarOptions) {
    this.value = options.value ?? 0;
    this.max = options.max;
    this.#options = {
      writable: options.writable ?? Deno.stderr.writable,
      barLength: options.barLength ?? 50,
      fillChar: options.fillChar ?? "#",
      emptyChar: options.emptyChar ?? "-",
      clear: options.clear ?? false,
      fmt: options.fmt ??
        ((x) => `[${x.styledTime}] [${x.progressBar}] [${inUnits(x.value, x.max)}]`),
      keepOpen: options.keepOpen ?? true,
    };
    this.#previous.value = this.value;
    this.#writer = this.#options.writable.getWriter();
    this.#timer = setInterval(() => this.#draw(), EVERY_MS);
    this.#draw();
  }

  /** Draws the bar for the last time, ends its timer and lets go of the stream. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#options.clear) this.#write(CLEAR_LINE);
    else {
      this.#draw();
      this.#write("\n");
    }
    await this.#drawn;
    if (!this.#options.keepOpen) await this.#writer.close().catch(() => {});
    this.#writer.releaseLock();
  }

  #draw(): void {
    const time = Date.now() - this.#start;
    const { barLength, fillChar, emptyChar, fmt } = this.#options;
    const share = Math.min(Math.max(this.value / this.max, 0), 1) || 0;
    const filled = Math.trunc(share * barLength);
    const line = fmt({
      styledTime: `${twoDigits(time / 60_000)}:${twoDigits(time / 1000 % 60)}`,
      progressBar: fillChar.repeat(filled) + emptyChar.repeat(barLength - filled),
      time,
      previousTime: this.#previous.time,
      value: this.value,
      previousValue: this.#previous.value,
      max: this.max,
    });
    this.#previous = { time, value: this.value };
    this.#write(CLEAR_LINE + line);
  }

  // In order, and a closed terminal stops nothing but the bar.
  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#drawn = this.#drawn.then(() => this.#writer.write(bytes))
      .catch(() => clearInterval(this.#timer));
  }
}
