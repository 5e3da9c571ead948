/** Tokens, and how they are written (spec/PROTOCOL.md, "Subprotocols" and "The credential"). */

export const PROTOCOL = "token-auth.v1";

/** Return the UTF-8 of a token, one character a byte: the form that `btoa` and HTTP headers take. */
export const bytesOf = (token: string): string =>
  Array.from(new TextEncoder().encode(token), (byte) => String.fromCharCode(byte)).join("");

/**
 * Return whether a value may be a token at all: no space, no control character, no half of a
 * surrogate pair. Its length is the server's decision (`MAX_TOKEN_BYTES`).
 */
export const isToken = (token: unknown): token is string =>
  typeof token === "string" && /^[^\0- \x7f-\xa0\p{Surrogate}]+$/u.test(token);

/** Return whether a text may be an entry of `Sec-WebSocket-Protocol` (RFC 7230 section 3.2.6). */
export const isSubprotocol = (text: unknown): text is string =>
  typeof text === "string" && /^[!#$%&'*+.^`|~\w-]+$/.test(text);

/** Return the subprotocol that carries a token: the token itself if it may be one, else its base64url. */
export const subprotocol = (token: string): string => {
  if (isSubprotocol(token)) return `bearer.${token}`;
  const text = btoa(bytesOf(token)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  return `base64url.bearer.${text}`;
};
