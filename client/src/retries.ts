/** When to try again: waits in a row, and the tokens that the server did not accept.
 *
 * The rules are those of spec/PROTOCOL.md, "After a failure" and the sections that follow it.
 */
import { actionOf } from "./close-codes.ts";
import type { Failure } from "./errors.ts";

export class Retries {
  /** The token that met 4401 or 4410 since the last auth.ok, and the failure to report. */
  rejected: { token: string; why: Failure } | null = null;
  /** Waits in a row: each is longer than the last. */
  waits = 0;
  /** When the server's retry_after allows the next attempt: to renew the token, or to reconnect. */
  renewAt = 0;
  #expired: string | null = null; // the same for 4419
  #isHurried = false; // whether a failure was answered at once, and no socket has settled since
  readonly #backoff: (n: number) => number;

  constructor(backoff: (n: number) => number) {
    this.#backoff = backoff;
  }

  /** `auth.ok`: the token is valid, and the server does not ask for a wait. */
  admitted(): void {
    this.#expired = this.rejected = null;
    this.renewAt = 0;
  }

  /** A socket was authenticated for long enough to count as a success. */
  settled(): void {
    this.waits = 0;
    this.#isHurried = false;
  }

  /** Wait until then at least. Of two auth.error before a close the last one counts, even without a wait. */
  defer(until: number, replaces = false): void {
    this.renewAt = replaces ? until : Math.max(this.renewAt, until);
  }

  /** Return the seconds to wait: what the server asked for, and then the random time. */
  delay(now: number): number {
    return Math.max(this.renewAt - now, 0) + this.#backoff(++this.waits);
  }

  /** Return whether a token is one that expired or was rejected. */
  isOld(token: unknown): boolean {
    return token === this.#expired || token === this.rejected?.token;
  }

  /**
   * Return what follows a failure: a wait, the end, or why another token is needed. Another token is
   * tried once. `wasIn`: the socket was authenticated with the present one, so that the rule starts anew.
   */
  next(why: Failure, token: string, wasIn: boolean): "wait" | "end" | "expired" | "rejected" {
    const action = actionOf(why.closeCode);
    if (action === "back_off") return "wait";
    if (action === "login" && (wasIn || !this.rejected)) {
      this.rejected = { token, why };
      return "rejected";
    }
    // Only the connection may have reached its age: so the same token gets a second chance.
    if (action === "refresh" && (wasIn || token !== this.#expired)) {
      this.#expired = token;
      return "expired";
    }
    return "end";
  }

  /** Return whether to try again at once: one time until a socket has settled, so that there is no loop. */
  isAtOnce(now: number): boolean {
    if (this.#isHurried || this.renewAt > now) return false;
    this.#isHurried = true;
    return true;
  }
}
