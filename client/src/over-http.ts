/** The two resources over HTTP (spec/PROTOCOL.md, "Over HTTP"): a ticket, and how a token stands. */
import { isSlug } from "./close-codes.ts";
import { bytesOf } from "./credential.ts";
import { type Ending, ending, endingOf } from "./errors.ts";

export interface Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly slug?: unknown;
  readonly ticket?: string | null;
  readonly retryAfter: number;
}

/** Ask for one of them. A token goes in the header; without one, the session counts. Never throws. */
export const ask = async (
  send: typeof fetch,
  method: string,
  url: URL,
  token: string,
  signal: AbortSignal,
): Promise<Answer> => {
  const headers: HeadersInit = token ? { Authorization: `Bearer ${bytesOf(token)}` } : {};
  try {
    const response = await send(url, { method, headers, signal, cache: "no-store" });
    const body = await response.json().catch(() => null);
    return {
      status: response.status,
      slug: body?.code,
      ticket: response.ok && typeof body?.ticket === "string" ? body.ticket : null,
      retryAfter: Number(response.headers.get("Retry-After")) || 0,
    };
  } catch {
    return { status: 0, retryAfter: 0 };
  }
};

/** What a refusal stands for: its slug counts as the close code, else the status decides. */
export const refusal = ({ status, slug, retryAfter }: Answer): Ending => {
  if (isSlug(slug)) return endingOf(slug, retryAfter);
  const codes: Record<number, number> = { 401: 4401, 429: 4429 };
  const rest = status >= 400 && status < 500 ? 4403 : 1006;
  return ending("refused", codes[status] ?? rest, retryAfter);
};
