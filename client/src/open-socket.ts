/** The times that matter on one open socket. All of them end with it: the next socket has its own. */

export const PATIENCE = 15; // seconds for every answer: of the server, over HTTP, and of getToken
const PING_EVERY = 20; // seconds without a frame in one direction
const LEAD = 30; // seconds before the end, if the server sends no auth.expiring
const MARGIN = 5; // seconds; expires_in is rounded down, and takes time to arrive

export class OpenSocket {
  /** Whether the server selected `token-auth.v1`. If not, every frame is the application's. */
  readonly hasMessages: boolean;
  /** When it opened; once authenticated, when that was. */
  since: number;
  answerBy = Infinity;
  endsAt = Infinity;
  renewAt = Infinity;
  /** The token of an `auth` that has not been answered. */
  presented: string | null = null;
  #receivedAt: number;
  #sentAt: number;
  #halfAt = Infinity;

  constructor(hasMessages: boolean, now: number) {
    this.hasMessages = hasMessages;
    this.since = this.#receivedAt = this.#sentAt = now;
  }

  /**
   * When to ping: after silence in either direction. A server that sends nothing may be gone; a server
   * with an idle limit counts the frames that the client sends.
   */
  get pingAt(): number {
    return this.hasMessages ? Math.min(this.#receivedAt, this.#sentAt) + PING_EVERY : Infinity;
  }

  received(now: number): void {
    this.#receivedAt = now;
    this.answerBy = Infinity;
  }

  /** A frame was sent. To `auth` and a ping there is an answer, and any frame counts as one. */
  sent(now: number, patience = Infinity): void {
    this.#sentAt = now;
    this.answerBy = Math.min(this.answerBy, now + patience);
  }

  pinged(now: number, patience = PATIENCE): void {
    this.#receivedAt = now; // so that the next ping is not due at once
    this.sent(now, patience);
  }

  /** `auth.ok`: plan the next renewal, before the end and not in the first half of the time. */
  admitted(expiresIn: number | null, now: number): void {
    this.presented = null;
    this.endsAt = now + (expiresIn ?? Infinity);
    // Reauthentication with a token that is no fresher than the last one leaves as little time as before.
    // Half of what is left is less each time, so a page without a fresher token causes no loop.
    this.#halfAt = now + Math.max(1, (expiresIn ?? 0) / 2);
    this.renewAt = Math.max(this.#halfAt, this.endsAt - LEAD);
  }

  /** `auth.expiring`: renew now, or at half time. */
  expiring(expiresIn: number, now: number): void {
    const endsAt = now + expiresIn;
    // The server ends it earlier than it announced, for example because the user's roles changed: then
    // the next token differs from the last one, and waiting for half time may be too late.
    const isEarlier = endsAt < this.endsAt - MARGIN;
    if (isEarlier) this.endsAt = endsAt;
    this.renewAt = isEarlier ? now : Math.max(now, this.#halfAt);
  }
}
