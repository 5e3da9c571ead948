/** Decisions about when to try again, from the waits in a row and the tokens that were not accepted.
 *
 * The rules are those of spec/PROTOCOL.md, "After a failure" and the sections that follow it.
 */
import { actionOf } from "./close-codes.ts";
import type { Failure } from "./errors.ts";

export class Retries {
  /** The token that led to 4401 or 4410 since the last `auth.ok`, and the failure to report. */
  rejected: { token: string; why: Failure } | null = null;
  /** The number of waits in a row. */
  waits = 0;
  /** When the server's `retry_after` ends. Until then the client must not reconnect or reauthenticate. */
  renewAt = 0;
  #expired: string | null = null; // the token that led to 4419 since the last `auth.ok`
  #isHurried = false; // whether it tried again at once, and no socket has settled since
  readonly #backoff: (n: number) => number;

  constructor(backoff: (n: number) => number) {
    this.#backoff = backoff;
  }

  /** `auth.ok` arrived: the token is valid, and an earlier `retry_after` ends. */
  admitted(): void {
    this.#expired = this.rejected = null;
    this.renewAt = 0;
  }

  /** A socket was authenticated for long enough to count as a success. */
  settled(): void {
    this.waits = 0;
    this.#isHurried = false;
  }

  /** Wait at least until then. `replaces`: even if that is earlier, as for a second `auth.error`. */
  defer(until: number, replaces = false): void {
    this.renewAt = replaces ? until : Math.max(this.renewAt, until);
  }

  /** Count a wait, and return its seconds: the rest of `retry_after` and a random time. */
  delay(now: number): number {
    return Math.max(this.renewAt - now, 0) + this.#backoff(++this.waits);
  }

  /** Return whether a token has expired or was rejected since the last `auth.ok`. */
  isOld(token: unknown): boolean {
    return token === this.#expired || token === this.rejected?.token;
  }

  /**
   * Return what follows a failure: a wait, the end, or the reason to get another token. Another token is
   * tried once, and again after each socket that was authenticated (`wasAuthenticated`).
   */
  next(
    why: Failure,
    token: string,
    wasAuthenticated: boolean,
  ): "wait" | "end" | "expired" | "rejected" {
    const action = actionOf(why.closeCode);
    if (action === "back_off") return "wait";
    if (action === "login" && (wasAuthenticated || !this.rejected)) {
      this.rejected = { token, why };
      return "rejected";
    }
    // Perhaps only the connection was too old, and the token is valid: try the same token once more.
    if (action === "refresh" && (wasAuthenticated || token !== this.#expired)) {
      this.#expired = token;
      return "expired";
    }
    return "end";
  }

  /** Return whether to try again at once: true once until a socket has settled, to prevent a loop. */
  isAtOnce(now: number): boolean {
    if (this.#isHurried || this.renewAt > now) return false;
    this.#isHurried = true;
    return true;
  }
}
