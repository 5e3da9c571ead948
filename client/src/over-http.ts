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
  /** For error messages: the method and the address, without its query. */
  readonly request?: string;
  readonly cause?: unknown;
}

/**
 * Request one of the two. A token goes into the header; without a token, the site's session counts.
 * Never throws: a page's own `fetch` may do anything, and its error becomes the `cause`.
 */
export const request = async (
  send: typeof fetch,
  method: string,
  url: URL,
  token: string,
  signal: AbortSignal,
  now: number,
): Promise<Answer> => {
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

/** Return a `Retry-After` in seconds: a number of them, or a date (RFC 9110 section 10.2.3). */
const secondsOf = (header: string | null, now: number): number => {
  const seconds = /^\d+$/.test(header ?? "") ? +header! : (Date.parse(header ?? "") - now) / 1000;
  return Math.max(0, seconds) || 0; // NaN: neither
};

/** Return what a refusal stands for: its slug counts as the close code, else the status decides. */
export const refusal = (answer: Answer): Failure => {
  const { status, slug } = answer;
  const facts = factsOf(answer);
  if (isSlug(slug)) return failureOf(slug, facts);
  const codes: Record<number, number> = { 401: 4401, 429: 4429 };
  const rest = status >= 400 && status < 500 ? 4403 : 1006;
  return failure("refused", codes[status] ?? rest, facts);
};

/** Return what an error says of an answer. An unexpected one usually means that `authUrl` is wrong. */
export const factsOf = ({ status, slug, retryAfter, request, cause }: Answer): Partial<Failure> => {
  const hint = status && status < 500 && !isSlug(slug) ? "; is authUrl right?" : "";
  return { retryAfter, cause, detail: `${request} answered ${status || "nothing"}${hint}` };
};
