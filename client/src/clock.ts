/** Time and timers, as the page has them or as a test moves them. */
export interface Clock {
  /** Milliseconds of the calendar: they go on while the machine sleeps. */
  now(): number;
  setTimeout(act: () => void, milliseconds: number): unknown;
  clearTimeout(timer: any): void;
}

export const pageClock: Clock = {
  now: () => Date.now(),
  setTimeout: (act, milliseconds) => setTimeout(act, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer),
};

const LONGEST = 2 ** 31 - 1; // what setTimeout takes

/** One timer, in seconds that never go back, even where the calendar is set back. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: unknown;
  #at = Infinity;
  #last = 0;
  #lost = 0;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  get now(): number {
    const now = this.#clock.now();
    this.#lost += Math.max(0, this.#last - now);
    this.#last = now;
    return (now + this.#lost) / 1000;
  }

  /** Ring at that time. A timer that is set for earlier stays: who is woken too early sleeps on. */
  set(at: number): void {
    if (at < this.#at) {
      this.clear();
      this.#at = at;
      const wait = Math.max(0, 1000 * (at - this.now));
      this.#timer = this.#clock.setTimeout(() => this.#fire(), Math.min(LONGEST, wait));
    }
  }

  clear(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#at = Infinity;
  }

  #fire(): void {
    this.#at = Infinity;
    this.#ring();
  }
}
