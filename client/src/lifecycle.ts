/** A client's lifecycle as an object without I/O: events come in, outputs go out.
 *
 *     token ─→ ticket ─→ connecting ─→ authenticating ─→ authenticated ─→ closing
 *       ↑                    │               │                 │             │
 *       │                 checking           │                 │             ↓
 *       └──── waiting ←──────┴───────────────┴─────────────────┴─────────→ closed
 *
 * `token` leads to `ticket` only if the token is exchanged for one, and `connecting` to `checking` only
 * if the handshake failed with 1006. Every failure goes through `_fail`, which alone decides between
 * trying again at once, waiting, and closing.
 *
 * Rule 1: a lifecycle is in one state. An answer that does not fit the state came too late and is ignored.
 * Rule 2: `_requestToken` alone requests `getToken`, and never while an earlier call is running. Two calls
 * would use a refresh token twice, and many servers then revoke all tokens of the user.
 *
 * `Connector` has the states before and after the open socket. This class adds the open socket: its
 * messages, its renewals, and time, which is `now`: seconds of a clock that never goes back but may jump,
 * since machines sleep. The rules are those of spec/PROTOCOL.md, "Clients"; spec/vectors/client.json tests
 * them.
 */
import { Connector } from "./connector.ts";
import { isToken } from "./credential.ts";
import { failure, failureOf } from "./errors.ts";
import { APPLICATION, read } from "./messages.ts";
import { PATIENCE } from "./open-socket.ts";

const GRACE = 5; // seconds to wait for an answer after a sleep

export class Lifecycle extends Connector {
  // -- Messages

  /** A frame arrived. */
  frame(data: unknown): void {
    const socket = this._socket;
    socket.received(this.now);
    const message = socket.hasMessages ? read(data) : APPLICATION;
    const isEarly = this.state === "authenticating";
    if (message === APPLICATION && !isEarly) return this._emit("message");
    if (!message || this.state === "closing") return;
    switch (message.type) {
      case "auth.ok":
        return this.#admit(message.expires_in, message.user_id, isEarly);
      case "auth.error":
        return this.#error(message.code, message.retry, message.retry_after ?? 0);
      case "auth.required":
        if (isEarly) this.#required();
        return;
      case "auth.expiring":
        if (!isEarly) return this.#expiring(message.expires_in);
    }
    if (isEarly) this._violated();
  }

  /** The page sent a frame. */
  sent(): void {
    this._socket.sent(this.now);
  }

  /** Bytes of the page have left. A ping may wait behind many others, so this counts as an answer. */
  progressed(): void {
    this._socket.received(this.now);
  }

  #required(): void {
    if (this._socket.presented) return;
    this._await("authenticating");
    if (this._token) return this.#present(this._token);
    this._emit("drop");
    this._end(failureOf("token_missing"));
  }

  #present(token: string): void {
    this._socket.presented = token;
    this._socket.sent(this.now);
    this._due = this.now + PATIENCE;
    this._emit("send", JSON.stringify({ type: "auth", token }));
  }

  #admit(expiresIn: number | null, userId: string | null, isNew: boolean): void {
    this._token = this._socket.presented ?? this._token;
    this._retries.admitted();
    this._socket.admitted(expiresIn, this.now);
    this._due = Infinity;
    if (isNew) {
      this._socket.since = this.now;
      this._enterApplication();
    }
    this._emit("authenticated", expiresIn, userId);
  }

  #expiring(expiresIn: number): void {
    // A client must not send `auth` before `retry_after` is over. The deadline does not wait for that.
    const { now } = this;
    this._socket.expiring(now + expiresIn, Math.max(this._retries.renewAt, now));
    this.tick();
  }

  #error(code: string, retry: boolean, retryAfter: number): void {
    this._slug = code;
    this._retries.defer(this.now + retryAfter, true);
    const stays = code === "unavailable" || code === "rate_limited";
    const isRenewal = this.state === "authenticated" && this._socket.presented;
    if (!stays || !isRenewal) return; // the server closes the socket next
    this._socket.presented = null;
    this._due = Infinity;
    if (retry) this.#renewLater();
  }

  // -- Renewing the token, and pings

  #renew(): void {
    this._socket.renewAt = Infinity;
    if (this._due < Infinity) return; // a renewal is running
    this._due = this.now + PATIENCE;
    this._requestToken("expiring");
  }

  override token(token: unknown): void {
    super.token(token);
    if (this.state !== "authenticated") return;
    this._due = Infinity;
    if (isToken(token)) this.#present(token);
  }

  override tokenFailed(cause: unknown): void {
    super.tokenFailed(cause);
    if (this.state === "authenticated") this.#renewLater();
  }

  #renewLater(): void {
    const at = this.now + this._retries.delay(this.now);
    this._due = Infinity;
    this._socket.renewAt = at < this._socket.endsAt ? at : Infinity; // the server closes with 4419 before
  }

  #ping(patience?: number): void {
    this._socket.pinged(this.now, patience);
    this._emit("send", '{"type":"auth.ping"}');
  }

  // -- Time

  /** When to call `tick` next. */
  get nextTick(): number {
    if (this.state !== "authenticated") return this._due;
    const { answerBy, renewAt, pingAt } = this._socket;
    return Math.min(this._due, answerBy, renewAt, pingAt);
  }

  /** Do what is due. A call before `nextTick` does nothing. */
  tick(): void {
    // A tick that is much too late: the machine slept, and received no answer meanwhile.
    if (this.now > this.nextTick + GRACE) this.#rouse();
    if (this.state === "authenticated") return this.#tickOpen();
    if (this.now < this._due) return;
    if (this.state === "waiting") return this.start();
    this._emit("abort");
    this._emit("drop");
    if (this.state === "closing") this.closed(1006, "");
    else this._fail(failure("no_answer", 1006));
  }

  #tickOpen(): void {
    const { now } = this;
    const isOverdue = now >= this._due;
    if (now >= this._socket.answerBy || (isOverdue && this._socket.presented)) {
      this._emit("drop");
      return this._fail(failure("no_answer", 1006));
    }
    if (isOverdue) {
      this._emit("abort");
      this.#renewLater();
    }
    if (now >= this._socket.renewAt) this.#renew();
    if (now >= this._socket.pingAt) this.#ping();
  }

  /** The page is shown again, or its network is back: try now instead of waiting. */
  wake(): void {
    this.#rouse();
    this.tick();
  }

  /** Shorten a long wait, and give everything else that is running 5 more seconds for its answer. */
  #rouse(): void {
    const { now } = this;
    const { pingAt, answerBy } = this._socket;
    if (this.state === "waiting") {
      this._retries.waits = 0;
      this._due = Math.min(this._due, now + this._retries.delay(now));
      return;
    }
    if (this._due < Infinity) this._due = Math.max(this._due, now + GRACE);
    if (this.state !== "authenticated" || now < Math.min(pingAt, answerBy)) return;
    this._socket.answerBy = Infinity; // the answer may have arrived without being read yet
    this.#ping(GRACE);
  }
}
