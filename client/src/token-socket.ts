/** A WebSocket that keeps itself signed in: it drives a `Lifecycle`, which decides. */
import { backoff } from "./backoff.ts";
import { Alarm, pageClock } from "./clock.ts";
import { actionOf } from "./close-codes.ts";
import { PROTOCOL } from "./credential.ts";
import { type Ending, TokenAuthError } from "./errors.ts";
import { HANDLED, type Handler, handler, type TokenSocketEventMap } from "./events.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { TokenSocketOptions } from "./options.ts";
import type { Output } from "./output.ts";
import { ask } from "./over-http.ts";

/** What does each output of the lifecycle. */
type Acts = {
  [Act in Output[0]]: (...rest: Output extends infer O ? Rest<O, Act> : never) => unknown;
};
type Rest<O, Act> = O extends [infer Acts, ...infer Rest]
  ? Act extends Acts
    ? Rest
    : never
  : never;

const STATES: Record<string, number> = { authenticated: 1, closing: 2, closed: 3 };

/**
 * A `WebSocket` that keeps itself signed in.
 *
 * `readyState` is CONNECTING until the server has let it in, and again while it reconnects: then
 * `send` throws, as a WebSocket's does. It is OPEN from `open` until the line is lost, and CLOSED for
 * good. So `open` may come many times, with `reconnecting` in between, and `close` comes once.
 */
export class TokenSocket extends EventTarget implements WebSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  declare onopen: Handler<"open">;
  declare onauthenticated: Handler<"authenticated">;
  declare onmessage: Handler<"message">;
  declare onreconnecting: Handler<"reconnecting">;
  /** The event is a `TokenErrorEvent`; any, since a WebSocket's handler takes a plain one. */
  declare onerror: ((this: WebSocket, event: any) => unknown) | null;
  declare onclose: Handler<"close">;

  /** The address, without a ticket. */
  readonly url: string;
  readonly #options: TokenSocketOptions;
  readonly #alarm: Alarm;
  readonly #life: Lifecycle;
  readonly #outputs: Output[] = [];
  readonly #wake = (): void => {
    this.#alarm.clear(); // its timer may have slept
    this.#tell("wake");
  };
  #socket: WebSocket | null = null;
  #running = new AbortController();
  #binaryType: BinaryType = "blob";
  #frame: MessageEvent | undefined;

  /**
   * Starts to connect. Throws a `TypeError` for what is no address, and for tickets without `authUrl`.
   */
  constructor(url: string | URL, options: TokenSocketOptions) {
    super();
    const { location = "subprotocol", protocols = [], authUrl } = options;
    if (location === "ticket" && !authUrl) throw new TypeError("Tickets need authUrl.");
    for (const type of HANDLED) Object.defineProperty(this, `on${type}`, handler(this, type));
    this.#options = options;
    this.url = absolute(url).href.replace(/^http/, "ws");
    this.#alarm = new Alarm(options.clock ?? pageClock, () => this.#tell("tick"));
    this.#life = new Lifecycle(
      {
        location,
        protocols: [protocols].flat().filter((name) => name !== PROTOCOL),
        canCheck: !!authUrl,
        backoff: options.backoff ?? backoff,
      },
      (...output) => this.#outputs.push(output),
    );
    this.#listen("addEventListener");
    this.#tell("start");
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return (STATES[this.#life.state] ?? 0) as 0;
  }

  /** The selected subprotocol; never one that holds a token. */
  get protocol(): string {
    return this.#socket?.protocol ?? "";
  }

  get extensions(): string {
    return this.#socket?.extensions ?? "";
  }

  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  get binaryType(): BinaryType {
    return this.#binaryType;
  }

  set binaryType(type: BinaryType) {
    this.#binaryType = type;
    if (this.#socket) this.#socket.binaryType = type;
  }

  /** Sends a frame. Throws an `InvalidStateError` while there is no line: nothing is kept for later. */
  send(data: Parameters<WebSocket["send"]>[0]): void {
    if (!this.readyState) throw new DOMException("There is no line.", "InvalidStateError");
    this.#socket?.send(data);
  }

  /** Closes it for good. */
  close(code?: number, reason?: string): void {
    this.#socket?.close(code, reason); // throws for what no WebSocket may be closed with
    this.#tell("close", code, reason);
  }

  /** Connects now, where it would wait: but not before the server's `retry_after` is over. */
  reconnect(): void {
    this.#wake();
  }

  declare addEventListener: {
    <Type extends keyof TokenSocketEventMap>(
      type: Type,
      listener: (this: WebSocket, event: TokenSocketEventMap[Type]) => unknown,
      options?: boolean | AddEventListenerOptions,
    ): void;
    (
      type: string,
      listener: EventListenerOrEventListenerObject | null,
      options?: boolean | AddEventListenerOptions,
    ): void;
  };

  // -- What happens, and what the lifecycle wants done about it

  #tell(what: any, ...facts: unknown[]): void {
    const life: any = this.#life;
    life.now = this.#alarm.now;
    life[what](...facts);
    // What the page does in an event comes back to here, and finds the rest of the list.
    while (this.#outputs.length) {
      const [act, ...rest] = this.#outputs.shift()!;
      (this.#acts[act] as (...rest: unknown[]) => unknown)(...rest);
    }
    this.#alarm.set(this.#life.nextTick);
  }

  readonly #acts: Acts = {
    getToken: (reason) => {
      const signal = this.#begin();
      Promise.resolve({ reason, signal }) // so that the page's code never runs inside of ours
        .then((request) => this.#options.getToken(request))
        .then(
          (token) => this.#tell("token", token),
          (cause) => this.#tell("tokenFailed", cause),
        );
    },
    getTicket: (token) => this.#ask("POST", "ticket", token),
    check: (token) => this.#ask("GET", "check", token),
    abort: () => this.#running.abort(),
    dial: (subprotocols, ticket) => this.#dial(subprotocols, ticket),
    send: (text) => this.#socket!.send(text),
    drop: () => {
      const socket = this.#socket;
      this.#socket = null;
      socket?.close(1000);
    },
    message: () => this.dispatchEvent(new MessageEvent("message", this.#frame as any)),
    open: () => this.#emit("open"),
    authenticated: (expiresIn, userId) => this.#emit("authenticated", { expiresIn, userId }),
    reconnecting: (wait, why) => this.#emit("reconnecting", { wait, error: errorOf(why) }),
    end: (code, reason, why) => {
      this.#alarm.clear();
      this.#listen("removeEventListener");
      queueMicrotask(() => {
        if (why) this.#emit("error", { error: errorOf(why) });
        this.#emit("close", { code, reason, wasClean: code !== 1006 });
      });
    },
  };

  #begin(): AbortSignal {
    this.#running = new AbortController();
    return this.#running.signal;
  }

  async #ask(method: string, resource: string, token: string): Promise<void> {
    const signal = this.#begin();
    const url = absolute(this.#options.authUrl!);
    url.pathname = url.pathname.replace(/\/?$/, `/${resource}/`);
    const answer = await ask(this.#options.fetch ?? fetch, method, url, token, signal);
    if (!signal.aborted) this.#tell(method === "POST" ? "ticket" : "checked", answer);
  }

  #dial(subprotocols: string[], ticket: string | null): void {
    const url = new URL(this.url);
    if (ticket) url.search += `${url.search && "&"}ticket=${encodeURIComponent(ticket)}`;
    let socket: WebSocket;
    try {
      socket = new (this.#options.WebSocket ?? WebSocket)(url, subprotocols);
    } catch {
      return this.#tell("notAllowed"); // what it threw may tell of the subprotocols
    }
    socket.binaryType = this.#binaryType;
    this.#socket = socket;
    const hear = (type: string, tell: (event: any) => void): void =>
      socket.addEventListener(type, (event) => socket === this.#socket && tell(event));
    hear("open", () => this.#tell("opened", socket.protocol));
    hear("message", (frame) => {
      this.#frame = frame;
      this.#tell("frame", frame.data);
    });
    hear("close", ({ code, reason }) => {
      this.#socket = null;
      this.#tell("closed", code, reason);
    });
  }

  #emit(type: string, fields?: object): void {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }

  #listen(how: "addEventListener" | "removeEventListener"): void {
    const page: EventTarget = globalThis;
    page[how]?.("online", this.#wake);
    page[how]?.("pageshow", this.#wake);
    globalThis.document?.[how]("visibilitychange", this.#wake);
  }
}

const absolute = (url: string | URL): URL => new URL(url, globalThis.location?.href);

const errorOf = (why: Ending): TokenAuthError => new TokenAuthError(why, actionOf(why.closeCode));
