/** Time and timers. The platform's by default; tests pass a clock that they move themselves. */
export interface Clock {
  /** Milliseconds since 1970. They have to include the time in which the machine sleeps. */
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

/** One timer, on a clock in seconds that never goes back, even if somebody sets the calendar back.
 *
 * `performance.now()` never goes back either, but stops while the machine sleeps, and a token expires
 * during a sleep as well. Hence the calendar, with every step back taken out.
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
   * Ring at `at`. A timer that was set for an earlier time stays: ringing too early costs one check,
   * and setting a timer for each frame would cost more.
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
