/** The states before and after the open socket: get a token, connect, and decide after each failure.
 *
 * `Lifecycle` extends this class with what happens on the open socket, and describes all states. Members
 * whose names begin with `_` are for that class only; the build shortens these names.
 */
import { isSlug, slugOf } from "./close-codes.ts";
import { isToken, PROTOCOL, subprotocol } from "./credential.ts";
import { type Failure, failure, failureOf, misuse } from "./errors.ts";
import { OpenSocket, PATIENCE } from "./open-socket.ts";
import type { Reason } from "./options.ts";
import type { Output, Rules, State } from "./output.ts";
import { type Answer, factsOf, refusal } from "./over-http.ts";
import { Retries } from "./retries.ts";

const SETTLED = 10; // seconds after which an authenticated socket counts as a success

export class Connector {
  state: State = "closed";
  now = 0;
  declare protected readonly _emit: (...output: Output) => void;
  declare protected readonly _retries: Retries;
  /** When the state ends. In `authenticated`: when getToken, or the answer to `auth`, has taken too long. */
  protected _due = Infinity;
  /** The token that the socket was opened or last reauthenticated with; "" for none. */
  protected _token = "";
  protected _socket = new OpenSocket(false, 0);
  /** The slug of the last `auth.error`. */
  protected _slug = "";
  readonly #rules: Rules;
  #reason: Reason = "open"; // of the next call of getToken
  #fetching: Reason | null = null; // the reason of the running call of getToken
  #wasOpen = false;

  constructor(rules: Rules, emit: (...output: Output) => void) {
    this.#rules = rules;
    this._emit = emit;
    this._retries = new Retries(rules.backoff);
  }

  // -- Getting a token

  /** Connect. */
  start(): void {
    this._await("token");
    this._requestToken(this.#reason);
  }

  protected _requestToken(reason: Reason): void {
    if (this.#fetching) return;
    this.#fetching = reason;
    this._emit("getToken", reason);
  }

  /** `getToken` returned a token, or null: the user has to log in. */
  token(token: unknown): void {
    const reason = this.#fetching;
    this.#fetching = null;
    if (this.state !== "token") return;
    // This call began before the token expired or was rejected, and returned that token: call again.
    const isOld = this._retries.isOld(token) && reason !== this.#reason;
    if (isOld) this._requestToken(this.#reason);
    else this.#use(token);
  }

  /** `getToken` failed. */
  tokenFailed(cause: unknown): void {
    this.#fetching = null;
    if (this.state === "token") this._fail(failure("get_token_failed", 1006, { cause }));
  }

  #use(token: unknown): void {
    const { rejected } = this._retries;
    if (token === null) return this._end(rejected?.why ?? failureOf("token_missing"));
    if (token !== "" && !isToken(token)) return this._end(misuse(token));
    if (token === rejected?.token) return this._end(rejected.why);
    this._token = token;
    this.#reason = this.#wasOpen ? "reconnect" : "open";
    if (this.#rules.location !== "ticket") return this.#connect(null);
    this._await("ticket");
    this._emit("getTicket", token);
  }

  /** The server issued a ticket. */
  ticket(ticket: string): void {
    this.#connect(ticket);
  }

  /** The server refused a ticket, or denied a handshake with an answer that only non-browsers can read. */
  refused(answer: Answer): void {
    const isDenial = this.state === "connecting" && !isSlug(answer.slug);
    if (!isDenial) return this._fail(refusal(answer));
    // A denial without a slug may come from a proxy or a server in trouble. It tells as little as 1006.
    this._retries.defer(this.now + answer.retryAfter);
    this.closed(1006, "");
  }

  // -- Opening

  #connect(ticket: string | null): void {
    this._await("connecting");
    this._slug = "";
    this._emit("connect", [PROTOCOL, ...this.#rules.protocols, ...this.#entry], ticket);
  }

  /** The subprotocol that carries the token, in a list; empty if the token is sent in another way. */
  get #entry(): string[] {
    const carries = this.#rules.location === "subprotocol" && this._token;
    return carries ? [subprotocol(this._token)] : [];
  }

  /** The browser does not allow the page to open this socket. */
  notAllowed(): void {
    this._end(failure("not_allowed", 4403));
  }

  /** The opening handshake succeeded, and the server selected a subprotocol. */
  opened(protocol: string): void {
    // The server sends the selected subprotocol in a response header, which logs and scripts can read. It
    // must never select the one that contains the token.
    if (this.#entry.includes(protocol)) return this._violated();
    this._await("authenticating");
    this._socket = new OpenSocket(protocol === PROTOCOL, this.now);
    // If the server selected a subprotocol of the application, it will send no `auth.ok`.
    if (!this._socket.hasMessages) this._enterApplication();
  }

  protected _enterApplication(): void {
    this.#enter("authenticated");
    this.#wasOpen = true;
    this.#reason = "reconnect";
    this._emit("open");
  }

  protected _violated(): void {
    this._emit("drop");
    this._end(failure("protocol_violated", 4400));
  }

  // -- The end of a socket, and what follows

  /** The socket was closed, or could not be opened. */
  closed(closeCode: number, reason: string): void {
    if (this.state === "closing") {
      this.#enter("closed");
      return this._emit("end", closeCode, reason);
    }
    // Without a token, check/ reports on the session cookie, which the server uses for tickets only.
    const canCheck = this.#rules.canCheck && (this._token || this.#rules.location === "ticket");
    if (this.state === "connecting" && closeCode === 1006 && canCheck) {
      this._await("checking");
      return this._emit("check", this._token);
    }
    const code = slugOf(closeCode, this._slug, reason) ?? "closed";
    this._fail({ code, closeCode, reason });
  }

  /** `check/` answered. Only a 401 or a known slug means that the server refused the token. */
  checked(answer: Answer): void {
    const isRefusal = answer.status === 401 || isSlug(answer.slug);
    this._fail(isRefusal ? refusal(answer) : failure("closed", 1006, factsOf(answer)));
  }

  /** An attempt failed or the socket was lost: retry at once, wait, or end. */
  protected _fail(why: Failure): void {
    const { hasMessages, since, presented } = this._socket;
    const isOpen = this.state === "authenticated";
    const hasSettled = isOpen && this.now >= since + SETTLED;
    // Without auth.ok, only time shows that the server accepted the token.
    const wasAuthenticated = isOpen && (hasMessages || hasSettled);
    if (hasSettled) this._retries.settled();
    this._retries.defer(this.now + (why.retryAfter ?? 0));
    const next = this._retries.next(why, this._token, wasAuthenticated);
    if (next === "wait") return this.#wait(why);
    if (next === "end") return this._end(why);
    this.#reason = next;
    if (!this._retries.isAtOnce(this.now)) return this.#wait(why);
    this._await("token");
    // The server rejected the old token while `auth` with a fresh one was on its way (rotation). The fresh
    // one is the other token to try.
    if (next === "rejected" && isOpen && presented) this.#use(presented);
    else this._requestToken(this.#reason);
    if (this.state !== "closed") this._emit("reconnecting", 0, why);
  }

  #wait(why: Failure): void {
    const wait = this._retries.delay(this.now);
    this.#enter("waiting", this.now + wait);
    this._emit("reconnecting", wait, why);
  }

  protected _end(why: Failure): void {
    this.#enter("closed");
    this._emit("end", why.closeCode, why.reason, why);
  }

  /** The page closes the socket. */
  close(code = 1005, reason = ""): void {
    if (this.state === "closing" || this.state === "closed") return;
    this._emit("abort");
    if (this.state === "authenticated") return this._await("closing");
    this._emit("drop");
    this.#enter("closed");
    this._emit("end", code, reason);
  }

  // -- The state

  protected _await(state: State): void {
    this.#enter(state, this.now + PATIENCE);
  }

  #enter(state: State, due = Infinity): void {
    this.state = state;
    this._due = due;
  }
}
