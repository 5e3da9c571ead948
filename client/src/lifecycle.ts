/** The life of a socket as an object without I/O: what happens in, what to do out.
 *
 * Rule 1: a life is in one state; an answer that does not fit it has come too late, and does nothing.
 * Rule 2: `getToken` is asked for in one place, and never again before it has answered.
 *
 * Time is `now`, in seconds of a clock that never goes back but may jump, since machines sleep.
 */
import { actionOf, isSlug, slugOf } from "./close-codes.ts";
import { isToken, PROTOCOL, subprotocol } from "./credential.ts";
import { type Ending, ending, endingOf } from "./errors.ts";
import { APPLICATION, read } from "./messages.ts";
import type { Reason } from "./options.ts";
import type { Output, Rules, State } from "./output.ts";
import { type Answer, refusal } from "./over-http.ts";

const PATIENCE = 15; // for every answer
const GRACE = 5; // the same, after a sleep
const SETTLED = 10; // a socket that was in for so long is a success
const PING_EVERY = 20;
const LEAD = 30; // before the end, where the server does not warn

export class Lifecycle {
  state: State = "closed";
  now = 0;
  readonly #rules: Rules;
  readonly #put: (...output: Output) => void;
  #due = Infinity; // of the state; in authenticated: of getToken
  #reason: Reason = "open";
  #isFetching = false;
  #token = "";
  #expired: string | null = null; // the token that met 4419 last
  #hurried = false; // whether 4419 was answered at once, and no socket has settled since
  #waits = 0;
  #notBefore = 0;
  #retryAfter = 0; // of the last auth.error, as is its slug
  #said = "";
  // Of the socket that is open:
  #speaks = false;
  #since = 0;
  #heardAt = 0;
  #answerBy = Infinity;
  #endsAt = Infinity;
  #halfAt = Infinity;
  #renewAt = Infinity;
  #presented: string | null = null; // in an `auth` without an answer yet

  constructor(rules: Rules, put: (...output: Output) => void) {
    this.#rules = rules;
    this.#put = put;
  }

  /** When `tick` has something to do. */
  get nextTick(): number {
    if (this.state !== "authenticated") return this.#due;
    return Math.min(this.#due, this.#answerBy, this.#renewAt, this.#pingAt);
  }

  get #pingAt(): number {
    return this.#speaks ? this.#heardAt + PING_EVERY : Infinity;
  }

  // -- Getting a token

  /** Connect. */
  start(): void {
    this.#await("token");
    this.#ask(this.#reason);
  }

  #ask(reason: Reason): void {
    if (!this.#isFetching) this.#put("getToken", reason);
    this.#isFetching = true;
  }

  /** `getToken` has answered; null: nobody is logged in. */
  token(token: unknown): void {
    this.#isFetching = false;
    if (this.state === "token") {
      this.#use(token);
    } else if (this.state === "authenticated") {
      this.#due = Infinity;
      if (isToken(token)) this.#present(token);
    }
  }

  /** `getToken` has failed. */
  tokenFailed(cause: unknown): void {
    this.#isFetching = false;
    if (this.state === "token") this.#lose(ending("get_token_failed", 1006, 0, cause));
    if (this.state === "authenticated") this.#renewLater();
  }

  #use(token: unknown): void {
    if (token == null) return this.#end(endingOf("token_missing"));
    if (token !== "" && !isToken(token)) return this.#end(endingOf("malformed"));
    this.#token = token;
    if (this.#rules.location !== "ticket") return this.#dial(null);
    this.#await("ticket");
    this.#put("getTicket", token);
  }

  /** The answer to the request for a ticket. */
  ticket(answer: Answer): void {
    if (answer.ticket) this.#dial(answer.ticket);
    else this.#lose(refusal(answer));
  }

  // -- Opening

  #dial(ticket: string | null): void {
    this.#await("connecting");
    this.#said = "";
    this.#retryAfter = 0;
    this.#presented = null;
    this.#put("dial", [PROTOCOL, ...this.#rules.protocols, ...this.#entry], ticket);
  }

  get #entry(): string[] {
    const carries = this.#rules.location === "subprotocol" && this.#token;
    return carries ? [subprotocol(this.#token)] : [];
  }

  /** The page may not open such a socket at all. */
  notAllowed(): void {
    this.#end(ending("not_allowed", 4403));
  }

  opened(protocol: string): void {
    if (this.#entry.includes(protocol)) return this.#violated();
    this.#await("authenticating");
    this.#speaks = protocol === PROTOCOL;
    this.#since = this.#heardAt = this.now;
    this.#answerBy = this.#endsAt = this.#halfAt = this.#renewAt = Infinity;
    if (this.#speaks) return;
    this.#enter("authenticated");
    this.#put("open");
  }

  // -- Frames

  frame(data: unknown): void {
    this.#heardAt = this.now;
    this.#answerBy = Infinity;
    const message = this.#speaks ? read(data) : APPLICATION;
    const isEarly = this.state === "authenticating";
    if (message === APPLICATION && !isEarly) return this.#put("message");
    if (!message || this.state === "closing") return;
    switch (message.type) {
      case "auth.ok":
        return this.#admit(message.expires_in, message.user_id, isEarly);
      case "auth.error":
        return this.#refused(message.code, message.retry, message.retry_after ?? 0);
      case "auth.required":
        if (isEarly) this.#required();
        return;
      case "auth.expiring":
        if (!isEarly) return this.#expiring();
    }
    if (isEarly) this.#violated();
  }

  #violated(): void {
    this.#put("drop");
    this.#end(ending("protocol_violated", 4400));
  }

  #required(): void {
    if (this.#presented) return;
    this.#await("authenticating");
    if (this.#token) return this.#present(this.#token);
    this.#put("drop");
    this.#end(endingOf("token_missing"));
  }

  #present(token: string): void {
    this.#presented = token;
    this.#say({ type: "auth", token }, PATIENCE);
  }

  #say(message: { type: string; token?: string }, patience: number): void {
    this.#answerBy = Math.min(this.#answerBy, this.now + patience);
    this.#put("send", JSON.stringify(message));
  }

  #admit(expiresIn: number | null, userId: string | null, isNew: boolean): void {
    this.#token = this.#presented ?? this.#token;
    this.#presented = null;
    this.#retryAfter = 0;
    this.#endsAt = this.now + (expiresIn ?? Infinity);
    // Not in the first half: a token that is no fresher than the last would be presented in a loop.
    this.#halfAt = this.now + Math.max(1, (expiresIn ?? 0) / 2);
    this.#renewAt = Math.max(this.#halfAt, this.#endsAt - LEAD);
    if (isNew) {
      this.#enter("authenticated");
      this.#since = this.now;
      this.#reason = "reconnect";
      this.#put("open");
    }
    this.#put("authenticated", expiresIn, userId);
  }

  #expiring(): void {
    this.#renewAt = Math.max(this.now, this.#halfAt);
    this.tick();
  }

  #refused(code: string, retry: boolean, retryAfter: number): void {
    this.#said = code;
    this.#retryAfter = retryAfter;
    const stays = code === "unavailable" || code === "rate_limited";
    if (!stays || !this.#presented || this.state !== "authenticated") return; // its close follows
    this.#presented = null;
    if (retry) this.#renewLater();
  }

  // -- Keeping it

  #renew(): void {
    this.#renewAt = Infinity;
    if (this.#presented || this.#due < Infinity) return;
    this.#due = this.now + PATIENCE;
    this.#ask("expiring");
  }

  #renewLater(): void {
    const at = this.now + this.#retryAfter + this.#delay();
    this.#due = Infinity;
    this.#renewAt = at < this.#endsAt ? at : Infinity;
  }

  #ping(patience: number): void {
    this.#heardAt = this.now; // as it were: for the next one
    this.#say({ type: "auth.ping" }, patience);
  }

  // -- Time

  /** Some time has come. */
  tick(): void {
    // Much too late: the machine slept, and so did whatever could have answered.
    if (this.now > this.nextTick + GRACE) this.#rouse();
    if (this.state === "authenticated") return this.#tickOpen();
    if (this.now < this.#due) return;
    if (this.state === "waiting") return this.start();
    this.#put("abort");
    this.#put("drop");
    if (this.state === "closing") this.closed(1006, "");
    else this.#lose(ending("no_answer", 1006));
  }

  #tickOpen(): void {
    const { now } = this;
    if (now >= this.#answerBy) {
      this.#put("drop");
      return this.#lose(ending("no_answer", 1006));
    }
    if (now >= this.#due) {
      this.#put("abort");
      this.#renewLater();
    }
    if (now >= this.#renewAt) this.#renew();
    if (now >= this.#pingAt) this.#ping(PATIENCE);
  }

  /** The page is there again, or its network is: what was put off is done now. */
  wake(): void {
    this.#rouse();
    this.tick();
  }

  #rouse(): void {
    const { now } = this;
    if (this.state === "waiting") {
      this.#waits = 0;
      this.#due = Math.min(this.#due, Math.max(this.#notBefore, now) + this.#delay());
      return;
    }
    if (this.#due < Infinity) this.#due = Math.max(this.#due, now + GRACE);
    const isSilent = now >= Math.min(this.#pingAt, this.#answerBy);
    if (this.state !== "authenticated" || !isSilent) return;
    this.#answerBy = Infinity; // an answer may have come, and not been read yet
    this.#ping(GRACE);
  }

  // -- The end of one, and the next

  closed(closeCode: number, reason: string): void {
    if (this.state === "closing") {
      this.#enter("closed");
      return this.#put("end", closeCode, reason);
    }
    // Of a visitor without a token, a session says nothing but where it opens the socket.
    const canCheck = this.#rules.canCheck && (this.#token || this.#rules.location === "ticket");
    if (this.state === "connecting" && closeCode === 1006 && canCheck) {
      this.#await("checking");
      return this.#put("check", this.#token);
    }
    const code = slugOf(closeCode, this.#said) ?? "closed";
    this.#lose({ code, closeCode, reason, retryAfter: this.#retryAfter });
  }

  /** The answer of `check/`: only a 401, and what names its reason, refuses. */
  checked(answer: Answer): void {
    const refuses = answer.status === 401 || isSlug(answer.slug);
    this.#lose(refuses ? refusal(answer) : ending("closed", 1006));
  }

  /** What follows when a socket is not there, or no more. */
  #lose(why: Ending): void {
    const isOpen = this.state === "authenticated";
    const hasSettled = isOpen && this.now >= this.#since + SETTLED;
    if (hasSettled) {
      this.#waits = 0;
      this.#hurried = false;
    }
    const action = actionOf(why.closeCode);
    if (action === "back_off") return this.#wait(why);
    const wasIn = isOpen && (this.#speaks || hasSettled); // without auth.ok, only time tells
    const isWorn = !wasIn && this.#token === this.#expired;
    if (action !== "refresh" || isWorn) return this.#end(why);
    this.#expired = this.#token;
    this.#reason = "expired";
    if (this.#hurried) return this.#wait(why);
    this.#hurried = true;
    this.start();
    this.#put("reconnecting", 0, why);
  }

  #wait(why: Ending): void {
    const wait = why.retryAfter + this.#delay();
    this.#notBefore = this.now + why.retryAfter;
    this.#enter("waiting", this.now + wait);
    this.#put("reconnecting", wait, why);
  }

  #delay(): number {
    return this.#rules.backoff(++this.#waits);
  }

  #end(why: Ending): void {
    this.#enter("closed");
    this.#put("end", why.closeCode, why.reason, why);
  }

  /** The page closes it. */
  close(code = 1005, reason = ""): void {
    if (this.state === "closing" || this.state === "closed") return;
    this.#put("abort");
    if (this.state === "authenticated") return this.#await("closing");
    this.#put("drop");
    this.#enter("closed");
    this.#put("end", code, reason);
  }

  #await(state: State): void {
    this.#enter(state, this.now + PATIENCE);
  }

  #enter(state: State, due = Infinity): void {
    this.state = state;
    this.#due = due;
  }
}
