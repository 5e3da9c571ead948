/** Tokens, and how they are written (spec/PROTOCOL.md, "Subprotocols" and "The credential"). */

export const PROTOCOL = "token-auth.v1";

/** Return a token's UTF-8 bytes as text, one character for each: `btoa` and HTTP headers take this form. */
export const bytesOf = (token: string): string =>
  Array.from(new TextEncoder().encode(token), (byte) => String.fromCharCode(byte)).join("");

/**
 * Return whether a value can be a token: text without spaces, control characters and lone surrogates.
 * The server limits its length (`MAX_TOKEN_BYTES`).
 */
export const isToken = (token: unknown): token is string =>
  typeof token === "string" && /^[^\0- \x7f-\xa0\p{Surrogate}]+$/u.test(token);

/** Return whether a value is valid as an entry of `Sec-WebSocket-Protocol` (RFC 7230 section 3.2.6). */
export const isSubprotocol = (text: unknown): text is string =>
  typeof text === "string" && /^[!#$%&'*+.^`|~\w-]+$/.test(text);

/** Return the subprotocol that carries a token: as it is if it may be one, else as base64url. */
export const subprotocol = (token: string): string => {
  if (isSubprotocol(token)) return `bearer.${token}`;
  const text = btoa(bytesOf(token)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  return `base64url.bearer.${text}`;
};
