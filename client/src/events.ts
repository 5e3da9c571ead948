/** What a TokenSocket dispatches beside a WebSocket's own events. */
import type { TokenAuthError } from "./errors.ts";

/** The server says who it has let in, and for how long: after each `open`, and after each renewal. */
export interface AuthenticatedEvent extends Event {
  /** Seconds until the server closes if nothing happens; null: never. */
  readonly expiresIn: number | null;
  /** Whose socket it is; null: nobody's. */
  readonly userId: string | null;
}

/** There is no line for now, and `readyState` is CONNECTING: the next attempt comes by itself. */
export interface ReconnectingEvent extends Event {
  /** Seconds until then. */
  readonly wait: number;
  readonly error: TokenAuthError;
}

/** It has ended, and not because the page closed it: `close` follows. */
export interface TokenErrorEvent extends Event {
  readonly error: TokenAuthError;
}

export interface TokenSocketEventMap {
  open: Event;
  authenticated: AuthenticatedEvent;
  message: MessageEvent;
  reconnecting: ReconnectingEvent;
  error: TokenErrorEvent;
  close: CloseEvent;
}

export type Handler<Type extends keyof TokenSocketEventMap> =
  | ((this: WebSocket, event: TokenSocketEventMap[Type]) => unknown)
  | null;

export const HANDLED: string[] = [
  "open",
  "authenticated",
  "message",
  "reconnecting",
  "error",
  "close",
];

/** A property `on…`, as every EventTarget of the platform has it. */
export const handler = (target: EventTarget, type: string): PropertyDescriptor => {
  let current: EventListener | null = null;
  return {
    get: () => current,
    set: (next) => {
      if (current) target.removeEventListener(type, current);
      current = typeof next === "function" ? next : null;
      if (current) target.addEventListener(type, current);
    },
  };
};
