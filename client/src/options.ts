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
   * - `rejected`: the server rejected the last token. Return another one if there is one, else `null`.
   */
  readonly reason: Reason;
  /** Aborts when the answer is no longer needed. */
  readonly signal: AbortSignal;
}

export interface TokenSocketOptions {
  /**
   * Return the token, refreshed over HTTP if necessary. It is called before every connection, and never
   * while an earlier call is running. `null`: the user has to log in, and the socket ends. `""`: connect
   * without a token. If it throws, rejects, or takes over 15 s, it is called again after a wait.
   */
  getToken(request: TokenRequest): string | null | PromiseLike<string | null>;
  /** The application's subprotocols, offered in addition to `token-auth.v1`. */
  protocols?: string | readonly string[];
  /** Where the token is sent. Default: `"subprotocol"`. */
  location?: Location;
  /**
   * The address of `channels_token_auth.urls`. Tickets need it; all others use it to tell a refusal from
   * a lost connection when a handshake fails.
   */
  authUrl?: string | URL;
  /** Return the seconds of the n-th wait in a row. Default: random, from 0.5 s to 2ⁿ s, at most 20 s. */
  backoff?(n: number): number;
  /** Used instead of the platform's, for example to add a CSRF token. */
  fetch?: typeof fetch;
  /** Used instead of the platform's. */
  WebSocket?: typeof WebSocket;
  /** Used instead of the platform's, for tests. */
  clock?: Clock;
}
