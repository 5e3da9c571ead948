/** The two resources over HTTP (spec/PROTOCOL.md, "Over HTTP"): a ticket, and how a token stands. */
import { bytesOf } from "./credential.ts";

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
