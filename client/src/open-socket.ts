/** The deadlines of one open socket. The next socket starts with new ones. */

export const PATIENCE = 15; // seconds to wait for the server, an answer over HTTP, or getToken
const PING_EVERY = 20; // seconds in which no frame was sent, or none received
const LEAD = 30; // seconds before the deadline to renew, if the server sends no auth.expiring
const MARGIN = 5; // seconds; expires_in is rounded down, and takes time to arrive

export class OpenSocket {
  /** Whether the server selected `token-auth.v1`. If not, every frame is the application's. */
  declare readonly hasMessages: boolean;
  /** When it opened, or when it was authenticated since. */
  declare since: number;
  answerBy = Infinity;
  endsAt = Infinity;
  renewAt = Infinity;
  /** The token in an `auth` that has no answer yet. */
  presented: string | null = null;
  #receivedAt: number;
  #sentAt: number;
  #halfAt = Infinity;

  constructor(hasMessages: boolean, now: number) {
    this.hasMessages = hasMessages;
    this.since = this.#receivedAt = this.#sentAt = now;
  }

  /**
   * When to ping: after 20 s in which the client received nothing or sent nothing. A silent server may be
   * down, and a server may close sockets whose clients send nothing.
   */
  get pingAt(): number {
    return this.hasMessages ? Math.min(this.#receivedAt, this.#sentAt) + PING_EVERY : Infinity;
  }

  received(now: number): void {
    this.#receivedAt = now;
    this.answerBy = Infinity;
  }

  /** A frame was sent. `patience`: the seconds to wait for an answer; any frame counts as one. */
  sent(now: number, patience = Infinity): void {
    this.#sentAt = now;
    this.answerBy = Math.min(this.answerBy, now + patience);
  }

  pinged(now: number, patience = PATIENCE): void {
    this.#receivedAt = now; // so that the next ping is due in 20 s
    this.sent(now, patience);
  }

  /** `auth.ok` arrived: renew before the deadline, but not in the first half of the time. */
  admitted(expiresIn: number | null, now: number): void {
    this.presented = null;
    this.endsAt = now + (expiresIn ?? Infinity);
    // A page may present the same token again. Then little time is left, and without a minimum wait the
    // client would reauthenticate in a loop.
    this.#halfAt = now + Math.max(1, (expiresIn ?? 0) / 2);
    this.renewAt = Math.max(this.#halfAt, this.endsAt - LEAD);
  }

  /** `auth.expiring` arrived: renew as soon as it is allowed (`at`), or after half of the time. */
  expiring(endsAt: number, at: number): void {
    // The server brought the deadline forward, for example because the user's roles changed. The next token
    // will differ from the last one, and half of the time may be too late.
    const isEarlier = endsAt < this.endsAt - MARGIN;
    if (isEarlier) this.endsAt = endsAt;
    this.renewAt = Math.max(at, isEarlier ? 0 : this.#halfAt);
  }
}
