/**
 * Time that moves only when it is told to.
 *
 * @module
 */

/** Time was faked in a way that cannot work. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

type Callback = (...args: unknown[]) => unknown;
interface Timer {
  readonly id: number;
  readonly callback: Callback;
  readonly args: readonly unknown[];
  readonly every: number | undefined;
  due: number;
}

const real = {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
};

let active: FakeTime | undefined;

/** Replaces `Date` and the timers until it is restored or disposed; only one at a time. */
export class FakeTime implements Disposable {
  readonly #start: number;
  #now: number;
  #timers: Timer[] = [];
  #ids = 0;

  /** Starts at the given time, at the real one by default. */
  constructor(start?: number | string | Date | null) {
    if (active !== undefined) throw new TimeError("Cannot fake time: it is faked already");
    this.#start = start === undefined || start === null
      ? real.Date.now()
      : new real.Date(start).getTime();
    if (Number.isNaN(this.#start)) throw new TimeError(`Cannot fake time: ${start} is no time`);
    this.#now = this.#start;
    active = this;
    // Arrow functions, which the class below cannot capture as `this`.
    const now = () => this.#now;
    const FakeDate = class extends real.Date {
      constructor(...args: []) {
        super(...(args.length === 0 ? [now()] as unknown as [] : args));
      }
      static override now(): number {
        return now();
      }
    };
    const add = (every: boolean) => (callback: Callback, delay = 0, ...args: unknown[]): number => {
      const wait = Math.max(every ? 1 : 0, Math.floor(delay));
      const id = ++this.#ids;
      this.#timers.push({ id, callback, args, every: every ? wait : undefined, due: now() + wait });
      return id;
    };
    const remove = (id?: number): void => {
      this.#timers = this.#timers.filter((timer) => timer.id !== id);
    };
    Object.assign(globalThis, {
      Date: FakeDate,
      setTimeout: add(false),
      clearTimeout: remove,
      setInterval: add(true),
      clearInterval: remove,
    });
  }

  /** Restores real time. */
  static restore(): void {
    if (active === undefined) throw new TimeError("Cannot restore time: it is not faked");
    active.restore();
  }

  /** Milliseconds since 1970; setting it runs the timers up to then. */
  get now(): number {
    return this.#now;
  }
  set now(value: number) {
    if (value < this.#now) throw new RangeError("Cannot set time: it cannot go backwards");
    for (let timer = this.#first(); timer && timer.due <= value; timer = this.#first()) {
      const { callback, args, every, due } = timer;
      this.#now = due;
      if (every === undefined) this.#timers = this.#timers.filter((other) => other !== timer);
      else timer.due += every;
      callback(...args);
    }
    this.#now = value;
  }

  /** When it started, milliseconds since 1970. */
  get start(): number {
    return this.#start;
  }

  /** Moves time on and runs the timers on the way. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** Lets pending promises settle, then {@link FakeTime.tick}. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.tick(ms);
  }

  /** Moves on to the next timer; whether there was one. */
  next(): boolean {
    const timer = this.#first();
    if (timer !== undefined) this.now = timer.due;
    return timer !== undefined;
  }

  /** Lets pending promises settle, then {@link FakeTime.next}. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Moves on until no timer is left. */
  runAll(): void {
    while (this.next());
  }

  /** Lets pending promises settle. */
  async runMicrotasks(): Promise<void> {
    await this.delay(0);
  }

  /** Waits in real time. */
  async delay(ms: number): Promise<void> {
    await new Promise<void>((resolve) => void real.setTimeout(resolve, ms));
  }

  /** Restores real time. */
  restore(): void {
    if (active !== this) throw new TimeError("Cannot restore time: it is not faked");
    active = undefined;
    Object.assign(globalThis, real);
  }

  /** Restores real time unless that was done. */
  [Symbol.dispose](): void {
    if (active === this) this.restore();
  }

  #first(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>(
      (a, b) => a === undefined || b.due < a.due ? b : a,
      undefined,
    );
  }
}
