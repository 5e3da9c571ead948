/** A token, and how it is presented (spec/PROTOCOL.md, "Subprotocols" and "The credential"). */

export const PROTOCOL = "token-auth.v1";

const MAX_TOKEN_BYTES = 4096;

/** Its UTF-8, one character a byte: what `btoa` and HTTP headers take. */
export const bytesOf = (token: string): string =>
  Array.from(new TextEncoder().encode(token), (byte) => String.fromCharCode(byte)).join("");

/** Whether a server could take it: no blank, no control character, at most 4,096 bytes. */
export const isToken = (token: unknown): token is string =>
  typeof token === "string" &&
  /^[^\0- \x7f-\xa0\p{Surrogate}]+$/u.test(token) &&
  bytesOf(token).length <= MAX_TOKEN_BYTES;

/** Whether it may stand in `Sec-WebSocket-Protocol` as it is (RFC 7230, section 3.2.6). */
export const isSubprotocol = (text: string): boolean => /^[!#$%&'*+.^`|~\w-]+$/.test(text);

/** The subprotocol that carries a token: as it is where it may be, else in base64url. */
export const subprotocol = (token: string): string => {
  if (isSubprotocol(token)) return `bearer.${token}`;
  const text = btoa(bytesOf(token)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  return `base64url.bearer.${text}`;
};
