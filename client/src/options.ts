import type { Clock } from "./clock.ts";

/** Where the token is sent. The names are those of the server's setting `LOCATIONS`. */
export type Location = "subprotocol" | "first_message" | "ticket";

/** Why `getToken` is called. */
export type Reason = "open" | "reconnect" | "expiring" | "expired" | "rejected";

/** The argument of `getToken`. */
export interface TokenRequest {
  /**
   * - `open`: the socket has never been open.
   * - `reconnect`: the connection was lost; the last token may still be valid.
   * - `expiring`: the socket is open and needs a fresh token before the old one expires.
   * - `expired`: the last token has expired, or was replaced.
   * - `rejected`: the server rejected the last token. Return another one if you have one, else `null`.
   */
  readonly reason: Reason;
  /** Aborts when the answer is no longer needed. */
  readonly signal: AbortSignal;
}

export interface TokenSocketOptions {
  /**
   * Return the token, refreshed over HTTP if necessary. It is called before every connection, and never
   * while an earlier call is running. `null`: the user has to log in, and the socket ends. `""`: connect
   * without a token. If it throws or rejects, it is called again after a wait. After 15 s its signal aborts.
   */
  getToken(request: TokenRequest): string | null | PromiseLike<string | null>;
  /** The application's subprotocols, offered in addition to `token-auth.v1`. */
  protocols?: string | readonly string[];
  /** Where the token is sent. Default: `"subprotocol"`. */
  location?: Location;
  /**
   * The URL under which the site includes `channels_token_auth.urls`. Required for tickets. For the other
   * locations, it allows the client to ask why a handshake failed: a refused token, or no connection.
   */
  authUrl?: string | URL;
  /** Return the length of the n-th wait in a row, in seconds. Default: random, 0.5 to 2ⁿ, at most 20. */
  backoff?(n: number): number;
  /** A replacement for the platform's `fetch`, for example to add a CSRF token. */
  fetch?: typeof fetch;
  /** A replacement for the platform's `WebSocket`. */
  WebSocket?: typeof WebSocket;
  /** A replacement for the platform's time and timers, for tests. */
  clock?: Clock;
}
