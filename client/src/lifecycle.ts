/** A client's lifecycle as an object without I/O: events come in, outputs go out.
 *
 *     token ─→ ticket ─→ connecting ─→ authenticating ─→ authenticated ─→ closing
 *       ↑                    │               │                 │             │
 *       │                 checking           │                 │             ↓
 *       └──── waiting ←──────┴───────────────┴─────────────────┴─────────→ closed
 *
 * `token` leads to `ticket` only if the token is exchanged for one, and `connecting` to `checking` only
 * if the handshake failed with 1006. Every failure goes through `#fail`, the one place that decides
 * between trying again at once, waiting, and closing.
 *
 * Rule 1: a lifecycle is in one state. An answer that does not fit the state came too late; ignore it.
 * Rule 2: `getToken` is requested in one place, and never while an earlier call is running. Two calls
 * would use a refresh token twice, and many servers then revoke all tokens of the user.
 *
 * Time is `now`, in seconds of a clock that never goes back but may jump, since machines sleep. The rules
 * are those of spec/PROTOCOL.md, "Clients"; spec/vectors/client.json tests them.
 */
import { isSlug, slugOf } from "./close-codes.ts";
import { isToken, PROTOCOL, subprotocol } from "./credential.ts";
import { type Failure, failure, failureOf } from "./errors.ts";
import { APPLICATION, read } from "./messages.ts";
import { OpenSocket, PATIENCE } from "./open-socket.ts";
import type { Reason } from "./options.ts";
import type { Output, Rules, State } from "./output.ts";
import { type Answer, factsOf, refusal } from "./over-http.ts";
import { Retries } from "./retries.ts";

const GRACE = 5; // seconds for an answer after a sleep
const SETTLED = 10; // seconds after which an authenticated socket counts as a success

export class Lifecycle {
  state: State = "closed";
  now = 0;
  readonly #rules: Rules;
  readonly #emit: (...output: Output) => void;
  readonly #retries: Retries;
  /** When the state ends if nothing happens; in `authenticated`: when getToken has taken too long. */
  #due = Infinity;
  // The token
  #reason: Reason = "open";
  #fetching: Reason | null = null; // why getToken was called that is running
  #hasBeenIn = false;
  #token = ""; // the one that the socket was opened or last reauthenticated with; "": none
  // The open socket
  #socket = new OpenSocket(false, 0);
  #slug = ""; // of the last auth.error

  constructor(rules: Rules, emit: (...output: Output) => void) {
    this.#rules = rules;
    this.#emit = emit;
    this.#retries = new Retries(rules.backoff);
  }

  /** When `tick` has something to do. */
  get nextTick(): number {
    if (this.state !== "authenticated") return this.#due;
    const { answerBy, renewAt, pingAt } = this.#socket;
    return Math.min(this.#due, answerBy, renewAt, pingAt);
  }

  // -- Getting a token

  /** Connect. */
  start(): void {
    this.#await("token");
    this.#requestToken(this.#reason);
  }

  #requestToken(reason: Reason): void {
    if (this.#fetching) return;
    this.#fetching = reason;
    this.#emit("getToken", reason);
  }

  /** `getToken` answered; null: nobody is logged in. */
  token(token: unknown): void {
    const asked = this.#fetching;
    this.#fetching = null;
    if (this.state === "token") {
      // An earlier call returned the token that has expired or was rejected since: ask for another one.
      const isOld = this.#retries.isOld(token);
      if (isOld && asked !== this.#reason) return this.#requestToken(this.#reason);
      this.#use(token);
    } else if (this.state === "authenticated") {
      this.#due = Infinity;
      if (isToken(token)) this.#present(token);
    }
  }

  /** `getToken` failed. */
  tokenFailed(cause: unknown): void {
    this.#fetching = null;
    if (this.state === "token") this.#fail(failure("get_token_failed", 1006, { cause }));
    if (this.state === "authenticated") this.#renewLater();
  }

  #use(token: unknown): void {
    const { rejected } = this.#retries;
    if (token === null) return this.#end(rejected?.why ?? failureOf("token_missing"));
    if (token !== "" && !isToken(token)) return this.#end(misuse(token));
    if (token === rejected?.token) return this.#end(rejected.why);
    this.#token = token;
    this.#reason = this.#hasBeenIn ? "reconnect" : "open";
    if (this.#rules.location !== "ticket") return this.#connect(null);
    this.#await("ticket");
    this.#emit("getTicket", token);
  }

  /** The server issued a ticket. */
  ticket(ticket: string): void {
    this.#connect(ticket);
  }

  /** The server refused a ticket, or a handshake if this client can see why: browsers cannot. */
  refused(answer: Answer): void {
    const isDenial = this.state === "connecting" && !isSlug(answer.slug);
    if (!isDenial) return this.#fail(refusal(answer));
    // A denial without a slug may come from a proxy or a server in trouble: it says as little as 1006.
    this.#retries.defer(this.now + answer.retryAfter);
    this.closed(1006, "");
  }

  // -- Opening

  #connect(ticket: string | null): void {
    this.#await("connecting");
    this.#slug = "";
    this.#emit("connect", [PROTOCOL, ...this.#rules.protocols, ...this.#entry], ticket);
  }

  get #entry(): string[] {
    const carries = this.#rules.location === "subprotocol" && this.#token;
    return carries ? [subprotocol(this.#token)] : [];
  }

  /** The browser does not allow the page to open such a socket at all. */
  notAllowed(): void {
    this.#end(failure("not_allowed", 4403));
  }

  opened(protocol: string): void {
    // A selected subprotocol is a response header, which logs and scripts can read: no token belongs there.
    if (this.#entry.includes(protocol)) return this.#violated();
    this.#await("authenticating");
    this.#socket = new OpenSocket(protocol === PROTOCOL, this.now);
    // The application selected its own subprotocol: there will be no auth.ok.
    if (!this.#socket.hasMessages) this.#enterApplication();
  }

  #enterApplication(): void {
    this.#enter("authenticated");
    this.#hasBeenIn = true;
    this.#reason = "reconnect";
    this.#emit("open");
  }

  // -- Frames

  /** A frame arrived. */
  frame(data: unknown): void {
    const socket = this.#socket;
    socket.received(this.now);
    const message = socket.hasMessages ? read(data) : APPLICATION;
    const isEarly = this.state === "authenticating";
    if (message === APPLICATION && !isEarly) return this.#emit("message");
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
    if (isEarly) this.#violated();
  }

  /** The page sent a frame. */
  sent(): void {
    this.#socket.sent(this.now);
  }

  #violated(): void {
    this.#emit("drop");
    this.#end(failure("protocol_violated", 4400));
  }

  #required(): void {
    if (this.#socket.presented) return;
    this.#await("authenticating");
    if (this.#token) return this.#present(this.#token);
    this.#emit("drop");
    this.#end(failureOf("token_missing"));
  }

  #present(token: string): void {
    this.#socket.presented = token;
    this.#socket.sent(this.now, PATIENCE);
    this.#emit("send", JSON.stringify({ type: "auth", token }));
  }

  #admit(expiresIn: number | null, userId: string | null, isNew: boolean): void {
    this.#token = this.#socket.presented ?? this.#token;
    this.#retries.admitted();
    this.#socket.admitted(expiresIn, this.now);
    if (isNew) {
      this.#socket.since = this.now;
      this.#enterApplication();
    }
    this.#emit("authenticated", expiresIn, userId);
  }

  #expiring(expiresIn: number): void {
    // As if it arrived when the server allows the next `auth`: earlier there must be none.
    this.#socket.expiring(expiresIn, Math.max(this.#retries.renewAt, this.now));
    this.tick();
  }

  #error(code: string, retry: boolean, retryAfter: number): void {
    this.#slug = code;
    this.#retries.defer(this.now + retryAfter, true);
    const stays = code === "unavailable" || code === "rate_limited";
    const isRenewal = this.state === "authenticated" && this.#socket.presented;
    if (!stays || !isRenewal) return; // the close follows
    this.#socket.presented = null;
    if (retry) this.#renewLater();
  }

  // -- Keeping the socket open

  #renew(): void {
    this.#socket.renewAt = Infinity;
    if (this.#socket.presented || this.#due < Infinity) return; // one at a time
    this.#due = this.now + PATIENCE;
    this.#requestToken("expiring");
  }

  #renewLater(): void {
    const at = this.now + this.#retries.delay(this.now);
    this.#due = Infinity;
    this.#socket.renewAt = at < this.#socket.endsAt ? at : Infinity; // else 4419 comes first
  }

  #ping(patience?: number): void {
    this.#socket.pinged(this.now, patience);
    this.#emit("send", '{"type":"auth.ping"}');
  }

  // -- Time

  /** The time `nextTick` has come, or any other. */
  tick(): void {
    // Much too late: the machine slept, and so did the network that an answer would have come over.
    if (this.now > this.nextTick + GRACE) this.#rouse();
    if (this.state === "authenticated") return this.#tickOpen();
    if (this.now < this.#due) return;
    if (this.state === "waiting") return this.start();
    this.#emit("abort");
    this.#emit("drop");
    if (this.state === "closing") this.closed(1006, "");
    else this.#fail(failure("no_answer", 1006));
  }

  #tickOpen(): void {
    const { now } = this;
    if (now >= this.#socket.answerBy) {
      this.#emit("drop");
      return this.#fail(failure("no_answer", 1006));
    }
    if (now >= this.#due) {
      this.#emit("abort");
      this.#renewLater();
    }
    if (now >= this.#socket.renewAt) this.#renew();
    if (now >= this.#socket.pingAt) this.#ping();
  }

  /** The page is shown again, or its network is back: try now instead of waiting. */
  wake(): void {
    this.#rouse();
    this.tick();
  }

  #rouse(): void {
    const { now } = this;
    const { pingAt, answerBy } = this.#socket;
    if (this.state === "waiting") {
      this.#retries.waits = 0;
      this.#due = Math.min(this.#due, now + this.#retries.delay(now));
      return;
    }
    if (this.#due < Infinity) this.#due = Math.max(this.#due, now + GRACE);
    if (this.state !== "authenticated" || now < Math.min(pingAt, answerBy)) return;
    this.#socket.answerBy = Infinity; // the answer may have arrived, and not been read yet
    this.#ping(GRACE);
  }

  // -- The end of a socket, and what follows

  /** The socket was closed, or could not be opened. */
  closed(closeCode: number, reason: string): void {
    if (this.state === "closing") {
      this.#enter("closed");
      return this.#emit("end", closeCode, reason);
    }
    // Without a token, check/ answers for the session, which matters for tickets only.
    const canCheck = this.#rules.canCheck && (this.#token || this.#rules.location === "ticket");
    if (this.state === "connecting" && closeCode === 1006 && canCheck) {
      this.#await("checking");
      return this.#emit("check", this.#token);
    }
    const code = slugOf(closeCode, this.#slug, reason) ?? "closed";
    this.#fail({ code, closeCode, reason });
  }

  /** `check/` answered: only a 401 and a known slug are a refusal. */
  checked(answer: Answer): void {
    const isRefusal = answer.status === 401 || isSlug(answer.slug);
    this.#fail(isRefusal ? refusal(answer) : failure("closed", 1006, factsOf(answer)));
  }

  /** There is no socket, or no longer: decide what to do. */
  #fail(why: Failure): void {
    const { hasMessages, since, presented } = this.#socket;
    const isOpen = this.state === "authenticated";
    const hasSettled = isOpen && this.now >= since + SETTLED;
    // Without auth.ok, only time shows that the server accepted the token.
    const wasIn = isOpen && (hasMessages || hasSettled);
    if (hasSettled) this.#retries.settled();
    this.#retries.defer(this.now + (why.retryAfter ?? 0));
    const next = this.#retries.next(why, this.#token, wasIn);
    if (next === "wait") return this.#wait(why);
    if (next === "end") return this.#end(why);
    this.#reason = next;
    if (!this.#retries.isAtOnce(this.now)) return this.#wait(why);
    this.#await("token");
    // A token that was on its way when the old one was rejected (rotation) is the other token.
    if (next === "rejected" && isOpen && presented) this.#use(presented);
    else this.#requestToken(this.#reason);
    if (this.state !== "closed") this.#emit("reconnecting", 0, why);
  }

  #wait(why: Failure): void {
    const wait = this.#retries.delay(this.now);
    this.#enter("waiting", this.now + wait);
    this.#emit("reconnecting", wait, why);
  }

  #end(why: Failure): void {
    this.#enter("closed");
    this.#emit("end", why.closeCode, why.reason, why);
  }

  /** The page closes the socket. */
  close(code = 1005, reason = ""): void {
    if (this.state === "closing" || this.state === "closed") return;
    this.#emit("abort");
    if (this.state === "authenticated") return this.#await("closing");
    this.#emit("drop");
    this.#enter("closed");
    this.#emit("end", code, reason);
  }

  #await(state: State): void {
    this.#enter(state, this.now + PATIENCE);
  }

  #enter(state: State, due = Infinity): void {
    this.state = state;
    this.#due = due;
  }
}

/** Return the failure for a wrong answer of `getToken`. It names the type only: the value may be secret. */
const misuse = (token: unknown): Failure => {
  const what =
    typeof token === "string" ? "a space or control character in the token" : typeof token;
  const detail = `getToken returned ${what}; return null to ask for a login`;
  return failure("get_token_invalid", 4400, { detail });
};
