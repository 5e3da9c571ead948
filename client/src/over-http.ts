/** The two resources over HTTP that a client uses: `ticket/` and `check/` (PROTOCOL.md, "Over HTTP"). */
import { isSlug } from "./close-codes.ts";
import { bytesOf } from "./credential.ts";
import { type Failure, failure, failureOf } from "./errors.ts";

export interface Answer {
  /** The HTTP status; 0 if there was no answer. */
  readonly status: number;
  readonly slug?: unknown;
  readonly ticket?: string | null;
  /** Seconds. */
  readonly retryAfter: number;
  /** The method and the URL without its query, for error messages. */
  readonly request?: string;
  readonly cause?: unknown;
}

/**
 * Request `ticket` or `check`. The token goes into the `Authorization` header; without one, the server
 * uses the session cookie. Never throws: an error of `fetch`, which may be the page's, becomes the `cause`.
 */
export const request = async (
  send: typeof fetch,
  method: string,
  authUrl: URL,
  resource: string,
  token: string,
  signal: AbortSignal,
  now: number,
): Promise<Answer> => {
  const url = new URL(authUrl);
  url.pathname = url.pathname.replace(/\/?$/, `/${resource}/`);
  const headers: HeadersInit = token ? { Authorization: `Bearer ${bytesOf(token)}` } : {};
  const request = `${method} ${url.origin}${url.pathname}`;
  try {
    const response = await send(url, { method, headers, signal, cache: "no-store" });
    const body = await response.json().catch(() => null);
    return {
      status: response.status,
      slug: body?.code,
      ticket: response.ok && typeof body?.ticket === "string" ? body.ticket : null,
      retryAfter: secondsOf(response.headers.get("Retry-After"), now),
      request,
    };
  } catch (cause) {
    return { status: 0, retryAfter: 0, request, cause };
  }
};

/** Return a `Retry-After` in seconds. The header has a number or a date (RFC 9110 section 10.2.3). */
const secondsOf = (header: string | null, now: number): number => {
  const seconds = /^\d+$/.test(header ?? "") ? +header! : (Date.parse(header ?? "") - now) / 1000;
  return Math.max(0, seconds) || 0; // NaN if it has neither
};

/** Return the failure for a refusal: by its slug, or by its status if it has none. */
export const refusal = (answer: Answer): Failure => {
  const { status, slug } = answer;
  const facts = factsOf(answer);
  if (isSlug(slug)) return failureOf(slug, facts);
  const codes: Record<number, number> = { 401: 4401, 429: 4429 };
  const rest = status >= 400 && status < 500 ? 4403 : 1006;
  return failure("refused", codes[status] ?? rest, facts);
};

/** Return the fields of an error for an answer. One without a slug often means a wrong `authUrl`. */
export const factsOf = ({ status, slug, retryAfter, request, cause }: Answer): Partial<Failure> => {
  const hint = status && status < 500 && !isSlug(slug) ? "; check authUrl" : "";
  return { retryAfter, cause, detail: `${request} got ${status || "no answer"}${hint}` };
};
