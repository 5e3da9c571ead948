/** A source of time and timers: the platform's by default. Tests can pass one that they control. */
export interface Clock {
  /** Return the milliseconds since 1970, including the time for which the machine slept. */
  now(): number;
  setTimeout(act: () => void, milliseconds: number): unknown;
  clearTimeout(timer: any): void;
}

export const pageClock: Clock = {
  now: () => Date.now(),
  setTimeout: (act, milliseconds) => setTimeout(act, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer),
};

const LONGEST = 2 ** 31 - 1; // milliseconds; setTimeout fires at once for anything longer

/** One timer, and a time in seconds that never goes back, even if the system's clock is set back.
 *
 * `performance.now()` never goes back either, but may stop while the machine sleeps, and tokens expire
 * during that time too. Hence the system's clock; `#lost` is the sum of its steps back.
 */
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

  /**
   * Call `ring` at `at`. A timer that is set for an earlier time stays: a call that comes too early costs
   * one check, which is less than to set a new timer for each frame.
   */
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
