/** A WebSocket that keeps its token fresh and reconnects. It runs a `Lifecycle`, which decides. */
import { backoff } from "./backoff.ts";
import { checkOptions } from "./check-options.ts";
import { Alarm, pageClock } from "./clock.ts";
import { actionOf } from "./close-codes.ts";
import { PROTOCOL } from "./credential.ts";
import { type Failure, TokenAuthError } from "./errors.ts";
import { HANDLED, type Handler, handler, type TokenSocketEventMap } from "./events.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { TokenSocketOptions } from "./options.ts";
import type { Acts, Output } from "./output.ts";
import { request } from "./over-http.ts";
import { onWaking } from "./waking.ts";

/** The `readyState` of each state; CONNECTING for all others. */
const STATES: Record<string, number> = { authenticated: 1, closing: 2, closed: 3 };

/**
 * A `WebSocket` that keeps its token fresh and reconnects.
 *
 * `readyState` is CONNECTING until the server has accepted the token, and again while the socket
 * reconnects; `send` throws then, as a WebSocket's does. It is OPEN from `open` until the connection is
 * lost. CLOSED is final. So `open` may come many times, with `reconnecting` in between, and `close` comes
 * once.
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
  /** The event is a `TokenErrorEvent`. Declared as any, because a WebSocket's handler takes an Event. */
  declare onerror: ((this: WebSocket, event: any) => unknown) | null;
  declare onclose: Handler<"close">;

  /** The URL, without a ticket. */
  declare readonly url: string;
  readonly #options: TokenSocketOptions;
  readonly #authUrl: URL | null;
  readonly #alarm: Alarm;
  readonly #lifecycle: Lifecycle;
  readonly #outputs: Output[] = [];
  readonly #wake = (): void => {
    this.#alarm.clear(); // after a sleep the timer may be late
    this.#input("wake");
  };
  #socket: WebSocket | null = null;
  #running = new AbortController();
  #binaryType: BinaryType = "blob";
  #frame: MessageEvent | undefined;
  #left = 0; // of the bytes to send, when this was last read

  /** Start to connect. Throws a `TypeError` that names the mistake if an argument is wrong. */
  constructor(url: string | URL, options: TokenSocketOptions) {
    super();
    const [address, authUrl] = checkOptions(url, options);
    const { location = "subprotocol", protocols = [], clock = pageClock } = options;
    for (const type of HANDLED) Object.defineProperty(this, `on${type}`, handler(this, type));
    this.#options = options;
    this.#authUrl = authUrl;
    this.url = address.href;
    this.#alarm = new Alarm(clock, () => this.#input("tick"));
    this.#lifecycle = new Lifecycle(
      {
        location,
        protocols: [protocols].flat().filter((name) => name !== PROTOCOL),
        canCheck: !!authUrl,
        backoff: (n) => {
          const wait = options.backoff?.(n);
          return wait! >= 0 ? wait! : backoff(n); // NaN or text would mean no wait at all
        },
      },
      (...output) => this.#outputs.push(output),
    );
    onWaking("addEventListener", this.#wake);
    this.#input("start");
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return (STATES[this.#lifecycle.state] ?? 0) as 0;
  }

  /** The subprotocol that the server selected. It never contains a token. */
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

  /** Send a frame. Throws an `InvalidStateError` while there is no connection: nothing is queued. */
  send(data: Parameters<WebSocket["send"]>[0]): void {
    if (!this.readyState)
      throw new DOMException("Not open: wait for the open event", "InvalidStateError");
    this.#input("sent"); // before these bytes hide how many have left
    this.#socket?.send(data);
    this.#left = this.bufferedAmount;
  }

  /** Close the socket for good. */
  close(code?: number, reason?: string): void {
    this.#socket?.close(code, reason); // throws if they are not valid for a WebSocket
    this.#input("close", code, reason);
  }

  /** Shorten a wait to a new first one, but not below the server's `retry_after`. */
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

  // -- Pass events to the lifecycle, and carry out its outputs

  #input(what: any, ...facts: unknown[]): void {
    const lifecycle: any = this.#lifecycle;
    lifecycle.now = this.#alarm.now;
    const left = this.bufferedAmount;
    if (left < this.#left) lifecycle.progressed();
    this.#left = left;
    lifecycle[what](...facts);
    // An event handler of the page may call `close()`, which calls this method again. That call carries out
    // the rest of the list before its own outputs, so the order stays right.
    while (this.#outputs.length) {
      const [act, ...rest] = this.#outputs.shift()!;
      (this.#acts[act] as (...rest: unknown[]) => unknown)(...rest);
    }
    this.#alarm.set(this.#lifecycle.nextTick);
  }

  readonly #acts: Acts = {
    getToken: (reason) => {
      const signal = this.#begin();
      Promise.resolve({ reason, signal }) // later, so that getToken cannot call back during this call
        .then((request) => this.#options.getToken(request))
        .then(
          (token) => this.#input("token", token),
          (cause) => this.#input("tokenFailed", cause),
        );
    },
    getTicket: (token) => this.#request("POST", "ticket", token),
    check: (token) => this.#request("GET", "check", token),
    abort: () => this.#running.abort(),
    connect: (subprotocols, ticket) => this.#connect(subprotocols, ticket),
    send: (text) => this.#socket!.send(text),
    drop: () => {
      const socket = this.#socket;
      this.#socket = null;
      socket?.close(1000);
    },
    message: () => this.dispatchEvent(new MessageEvent("message", this.#frame as any)),
    open: () => this.#dispatch("open"),
    authenticated: (expiresIn, userId) => this.#dispatch("authenticated", { expiresIn, userId }),
    reconnecting: (wait, why) => this.#dispatch("reconnecting", { wait, error: errorOf(why) }),
    end: (code, reason, why) => {
      this.#alarm.clear();
      onWaking("removeEventListener", this.#wake);
      queueMicrotask(() => {
        if (why) this.#dispatch("error", { error: errorOf(why) });
        this.#dispatch("close", { code, reason, wasClean: code !== 1006 });
      });
    },
  };

  #begin(): AbortSignal {
    this.#running = new AbortController();
    return this.#running.signal;
  }

  async #request(method: string, resource: string, token: string): Promise<void> {
    const signal = this.#begin();
    const { fetch: send = fetch } = this.#options;
    const now = 1000 * this.#alarm.now;
    const answer = await request(send, method, this.#authUrl!, resource, token, signal, now);
    if (signal.aborted) return;
    if (method === "GET") this.#input("checked", answer);
    else if (answer.ticket) this.#input("ticket", answer.ticket);
    else this.#input("refused", answer);
  }

  #connect(subprotocols: string[], ticket: string | null): void {
    const url = new URL(this.url);
    if (ticket) url.search += `${url.search && "&"}ticket=${encodeURIComponent(ticket)}`;
    let socket: WebSocket;
    try {
      socket = new (this.#options.WebSocket ?? WebSocket)(url, subprotocols);
    } catch {
      return this.#input("notAllowed"); // without the error as a cause: its message may contain the token
    }
    socket.binaryType = this.#binaryType;
    this.#socket = socket;
    // A socket may still fire events after it was dropped. Ignore them.
    const listen = (type: string, act: (event: any) => void): void =>
      socket.addEventListener(type, (event) => socket === this.#socket && act(event));
    const closed = ({ code = 1006, reason = "" }): void => {
      this.#socket = null;
      this.#input("closed", code, reason);
    };
    listen("open", () => this.#input("opened", socket.protocol));
    listen("message", (frame) => {
      this.#frame = frame;
      this.#input("frame", frame.data);
    });
    listen("close", closed);
    // A failed handshake fires `error` and then `close`, but only `error` in Node 22.
    listen("error", () => {
      (this.#options.clock ?? pageClock).setTimeout(() => socket === this.#socket && closed({}), 0);
    });
  }

  #dispatch(type: string, fields?: object): void {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

const errorOf = (why: Failure): TokenAuthError => new TokenAuthError(why, actionOf(why.closeCode));
