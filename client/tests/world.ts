/** Fakes of time and network: tests move the clock, and answer sockets and requests. */
import { setImmediate } from "node:timers/promises";
import type { TokenRequest, TokenSocketOptions } from "../src/index.ts";
import { TokenSocket } from "../src/index.ts";

export class FakeClock {
  time = 1_700_000_000_000;
  timers = new Map<number, { at: number; act: () => void }>();
  #uptime = 0;
  #last = 0;

  now(): number {
    return this.time;
  }

  setTimeout(act: () => void, milliseconds: number): number {
    this.timers.set(++this.#last, { at: this.#uptime + milliseconds, act });
    return this.#last;
  }

  clearTimeout(timer: number): void {
    this.timers.delete(timer);
  }

  /** Move the clock by these seconds, and fire every timer that is due. */
  async pass(seconds: number): Promise<void> {
    const end = this.#uptime + 1000 * seconds;
    for (;;) {
      await setImmediate();
      const due = [...this.timers].filter(([, { at }]) => at <= end);
      const [next] = due.sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      const [timer, { at, act }] = next;
      this.timers.delete(timer);
      this.#go(at);
      act();
    }
    this.#go(end);
  }

  /** Let the machine sleep: the calendar moves on, timers do not. */
  sleep(seconds: number): void {
    this.time += 1000 * seconds;
  }

  #go(uptime: number): void {
    this.time += uptime - this.#uptime;
    this.#uptime = uptime;
  }
}

export class FakeSocket extends EventTarget {
  static all: FakeSocket[] = [];
  readonly url: string;
  readonly offered: string[];
  binaryType = "blob";
  protocol = "";
  extensions = "";
  bufferedAmount = 0;
  sent: unknown[] = [];
  closed: unknown[] | null = null;

  constructor(url: URL, offered: string[]) {
    super();
    this.url = String(url);
    this.offered = offered;
    FakeSocket.all.push(this);
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(...why: unknown[]): void {
    if (why[0] === 7) throw new DOMException("as a WebSocket does", "InvalidAccessError");
    this.closed = why;
  }

  // What a server does

  accepts(protocol = "token-auth.v1"): this {
    this.protocol = protocol;
    this.dispatchEvent(new Event("open"));
    return this;
  }

  says(data: unknown): this {
    const text = typeof data === "object" ? JSON.stringify(data) : data;
    this.dispatchEvent(new MessageEvent("message", { data: text, origin: "wss://example.com" }));
    return this;
  }

  admits(expires_in: number | null = 3600): this {
    return this.accepts().says({ type: "auth.ok", expires_in, user_id: "7" });
  }

  ends(code: number, reason = ""): void {
    this.dispatchEvent(
      Object.assign(new Event("close"), { code, reason, wasClean: code !== 1006 }),
    );
  }
}

/** A request over HTTP. */
export interface Asked {
  readonly url: string;
  readonly init: RequestInit;
}

/** The event targets of a page, which Node does not have. */
const page = new EventTarget();
const document = new EventTarget();
Object.assign(globalThis, {
  document,
  addEventListener: page.addEventListener.bind(page),
  removeEventListener: page.removeEventListener.bind(page),
});

/** The events that wake a page, and their targets. */
export const WAKING: Record<string, EventTarget> = {
  online: page,
  pageshow: page,
  visibilitychange: document,
};

export class World {
  readonly clock = new FakeClock();
  readonly asked: Asked[] = [];
  readonly requests: TokenRequest[] = [];
  readonly events: any[] = [];
  readonly #sockets: TokenSocket[] = [];
  token: () => string | null | Promise<string | null> = () => "abc";
  answer: () => Response | Promise<Response> = () => new Response();

  open(options: Partial<TokenSocketOptions> = {}, url = "wss://example.com/chat/"): TokenSocket {
    FakeSocket.all = [];
    const socket = new TokenSocket(url, {
      getToken: (request) => {
        this.requests.push(request);
        return this.token();
      },
      WebSocket: FakeSocket as any,
      fetch: async (url, init) => {
        this.asked.push({ url: String(url), init: init! });
        return this.answer();
      },
      clock: this.clock,
      backoff: (n) => n,
      ...options,
    });
    this.#sockets.push(socket);
    for (const type of ["open", "authenticated", "message", "reconnecting", "error", "close"]) {
      socket.addEventListener(type, (event) => this.events.push(event));
    }
    return socket;
  }

  /** Return the last socket that was created, when all pending work is done. */
  async line(): Promise<FakeSocket> {
    await this.clock.pass(0);
    return FakeSocket.all.at(-1)!;
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  get types(): string[] {
    return this.events.map((event) => event.type);
  }

  get reasons(): string[] {
    return this.requests.map((request) => request.reason);
  }
}
