import { type Action, closeCodeOf, type Slug } from "./close-codes.ts";

/** A slug of the server's, or what only a client can meet. */
export type ErrorCode =
  | Slug
  /** The line was lost (1006), or closed with a code that says nothing of tokens. */
  | "closed"
  /** No answer in time: of the server, of `getToken` or over HTTP. */
  | "no_answer"
  /** `getToken` failed: `cause` is what it threw. */
  | "get_token_failed"
  /** The server echoed the credential, or let the application speak before the authentication. */
  | "protocol_violated"
  /** The browser does not let this page open this socket. */
  | "not_allowed"
  /** An answer over HTTP that refuses, and does not say why. */
  | "refused";

/** What ended a socket, as a value. */
export interface Ending {
  readonly code: ErrorCode;
  readonly closeCode: number;
  readonly reason: string;
  readonly retryAfter: number;
  readonly cause?: unknown;
}

export const ending = (
  code: ErrorCode,
  closeCode: number,
  retryAfter = 0,
  cause?: unknown,
): Ending => ({ code, closeCode, reason: code, retryAfter, cause });

/** As if the server had closed for that reason. */
export const endingOf = (slug: Slug, retryAfter = 0): Ending =>
  ending(slug, closeCodeOf(slug), retryAfter);

/** Why a socket is not there: told apart by `code`. It holds no token. */
export class TokenAuthError extends Error {
  declare readonly name: "TokenAuthError";
  declare readonly code: ErrorCode;
  /** The WebSocket's close code, or the one that a refusal over HTTP stands for. */
  declare readonly closeCode: number;
  /** What the client does about it. */
  declare readonly action: Action;

  constructor({ code, closeCode, cause }: Ending, action: Action) {
    super(`${code} (${closeCode})`);
    Object.assign(this, { name: "TokenAuthError", code, closeCode, action, cause });
  }
}
