import type { Clock } from "./clock.ts";

/** Where a token stands: as in the server's `LOCATIONS`. */
export type Location = "subprotocol" | "first_message" | "ticket";

/** Why a token is asked for. */
export type Reason = "open" | "reconnect" | "expiring" | "expired";

/** What `getToken` is called with. */
export interface TokenRequest {
  /**
   * `open`: the first connection. `reconnect`: the line was lost, and the last token may still be
   * good. `expiring`: the socket is open, and wants a fresh token before the old one ends. `expired`:
   * the last token is no longer good.
   */
  readonly reason: Reason;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface TokenSocketOptions {
  /**
   * The token to present, fresh over HTTP where need be; called before every connection, and never
   * while an earlier call has not answered. `null`: the user has to log in, and the socket ends.
   * `""`: there is none, and none is presented. If it rejects, or takes over 15 s, it is asked again
   * after a wait.
   */
  getToken(request: TokenRequest): string | null | PromiseLike<string | null>;
  /** Subprotocols of the application's, offered beside `token-auth.v1`. */
  protocols?: string | readonly string[];
  /** Where the token stands. Default: `"subprotocol"`. */
  location?: Location;
  /**
   * Where `channels_token_auth.urls` is: needed for tickets, and for telling a refusal from a lost
   * line when a handshake fails.
   */
  authUrl?: string | URL;
  /** Seconds of the n-th wait in a row. Default: a random time from 0.5 s up to 2ⁿ, at most 20 s. */
  backoff?(n: number): number;
  /** Instead of the platform's: to add a CSRF token, say. */
  fetch?: typeof fetch;
  /** Instead of the platform's. */
  WebSocket?: typeof WebSocket;
  /** Instead of the platform's, for tests. */
  clock?: Clock;
}
