/** The events that a TokenSocket dispatches in addition to a WebSocket's own. */
import type { TokenAuthError } from "./errors.ts";

/** Dispatched when the server has accepted the token: after each `open` and each reauthentication. */
export interface AuthenticatedEvent extends Event {
  /** Seconds until the server closes the socket, unless it receives a fresh token; null: never. */
  readonly expiresIn: number | null;
  /** The user's id; null on an anonymous socket. */
  readonly userId: string | null;
}

/** Dispatched when the connection is lost or an attempt has failed, and another attempt will follow. */
export interface ReconnectingEvent extends Event {
  /** Seconds until the next attempt. */
  readonly wait: number;
  readonly error: TokenAuthError;
}

/** Dispatched when the socket ends without a call of `close()`. The `close` event follows. */
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

/** Return an `on…` property that behaves like those of the platform's own event targets. */
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
