import { type Action, closeCodeOf, type Slug } from "./close-codes.ts";

/** A slug of the server, or a failure that only the client can see. */
export type ErrorCode =
  | Slug
  /** The connection was lost (1006), or closed with a code that is not in the table. */
  | "closed"
  /** The server, `getToken` or a request over HTTP did not answer in time. */
  | "no_answer"
  /** `getToken` threw or rejected: `cause` has the error. */
  | "get_token_failed"
  /** `getToken` returned something that is not a token, `null` or `""`. */
  | "get_token_invalid"
  /** The server selected the subprotocol with the token, or sent application frames before `auth.ok`. */
  | "protocol_violated"
  /** The browser does not allow this page to open this socket. */
  | "not_allowed"
  /** The answer to a request over HTTP was an error without a known slug, or had no ticket in it. */
  | "refused";

/** The reason why a socket ended or an attempt failed. */
export interface Failure {
  readonly code: ErrorCode;
  readonly closeCode: number;
  readonly reason: string;
  /** The seconds to wait that an answer over HTTP asked for. */
  readonly retryAfter?: number;
  /** For the developer: what happened, and what to change. It never contains a token. */
  readonly detail?: string;
  readonly cause?: unknown;
}

export const failure = (
  code: ErrorCode,
  closeCode: number,
  facts: Partial<Failure> = {},
): Failure => ({ code, closeCode, reason: code, ...facts });

/** Return the failure of a socket that the server closes with this slug. */
export const failureOf = (slug: Slug, facts?: Partial<Failure>): Failure =>
  failure(slug, closeCodeOf(slug), facts);

/** Return the failure for a wrong result of `getToken`. The message omits the value: it may be secret. */
export const misuse = (token: unknown): Failure => {
  const what =
    typeof token === "string" ? "a token with a space or control character" : typeof token;
  const detail = `getToken returned ${what}; return null to ask for a login`;
  return failure("get_token_invalid", 4400, { detail });
};

/** The reason why a socket ended or an attempt failed. Compare `code`. No field contains a token. */
export class TokenAuthError extends Error {
  declare readonly name: "TokenAuthError";
  declare readonly code: ErrorCode;
  /** The WebSocket's close code, or the one that corresponds to the answer over HTTP. */
  declare readonly closeCode: number;
  /** What the client does next. */
  declare readonly action: Action;

  constructor({ code, closeCode, detail, cause }: Failure, action: Action) {
    super(`${code} (${closeCode})${detail ? `: ${detail}` : ""}`);
    Object.assign(this, { name: "TokenAuthError", code, closeCode, action, cause });
  }
}
