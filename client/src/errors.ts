import { type Action, closeCodeOf, type Slug } from "./close-codes.ts";

/** A slug of the server's table, or something that only a client can meet. */
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
  /** The server selected the entry with the token, or sent an application's frame before `auth.ok`. */
  | "protocol_violated"
  /** The browser does not allow this page to open this socket. */
  | "not_allowed"
  /** A request over HTTP was refused, or answered with something else, without a known reason. */
  | "refused";

/** Why a socket ended or an attempt failed, as a value. */
export interface Failure {
  readonly code: ErrorCode;
  readonly closeCode: number;
  readonly reason: string;
  /** Seconds that an answer over HTTP asked the client to wait. */
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

/** Return the failure that stands for a close by the server for this reason. */
export const failureOf = (slug: Slug, facts?: Partial<Failure>): Failure =>
  failure(slug, closeCodeOf(slug), facts);

/** Why there is no socket. Tell the reasons apart by `code`. No field contains a token. */
export class TokenAuthError extends Error {
  declare readonly name: "TokenAuthError";
  declare readonly code: ErrorCode;
  /** The WebSocket's close code, or the code that a refusal over HTTP stands for. */
  declare readonly closeCode: number;
  /** What the client does next. */
  declare readonly action: Action;

  constructor({ code, closeCode, detail, cause }: Failure, action: Action) {
    super(`${code} (${closeCode})${detail ? `: ${detail}` : ""}`);
    Object.assign(this, { name: "TokenAuthError", code, closeCode, action, cause });
  }
}
