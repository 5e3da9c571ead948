/** Checks of the arguments of `new TokenSocket(url, options)`. A wrong one throws a `TypeError`.
 *
 * Without these checks most mistakes would look like a lost connection, and the socket would reconnect
 * forever. Messages name the argument but not its value, which may contain a token.
 */
import { isSubprotocol } from "./credential.ts";
import type { TokenSocketOptions } from "./options.ts";

const LOCATIONS = ["subprotocol", "first_message", "ticket"];

/** Return the socket's URL, and the one above `ticket/` and `check/`, or null if there is no `authUrl`. */
export const checkOptions = (url: string | URL, options: TokenSocketOptions): [URL, URL | null] => {
  const given: Partial<TokenSocketOptions> = options ?? {};
  const { location = LOCATIONS[0]!, protocols = [], authUrl } = given;
  for (const name of ["getToken", "backoff", "fetch", "WebSocket"] as const) {
    const type = typeof given[name];
    const isDefault = type === "undefined" && name !== "getToken";
    check(isDefault || type === "function", `${name} must be a function, not ${type}`);
  }
  check(given.WebSocket || globalThis.WebSocket, "WebSocket is missing here: pass it");
  check(LOCATIONS.includes(location), `location must be one of ${LOCATIONS}`);
  check(authUrl || location !== "ticket", 'location "ticket" needs authUrl');
  // `new WebSocket` throws for an invalid or repeated name. An entry with a token is for code that uses a
  // plain WebSocket; here it would be the second credential, and the server denies such handshakes.
  const names = [protocols].flat();
  const areRight = names.every((name) => isSubprotocol(name) && !/bearer\./.test(name));
  check(
    areRight && new Set(names).size === names.length,
    "protocols must be valid, unique subprotocols without a token",
  );
  const address = absolute(
    url,
    /^(ws|http)s?:[^#]+$/,
    "url must be a ws(s) or http(s) URL without a #fragment",
  );
  address.protocol = address.protocol.replace("http", "ws");
  const isHttp = /^https?:..[^@/]+\//; // fetch throws for URLs with a user or password
  return [
    address,
    authUrl ? absolute(authUrl, isHttp, "authUrl must be an http(s) URL without a password") : null,
  ];
};

const check = (isRight: unknown, mistake: string): void => {
  if (!isRight) throw new TypeError(`TokenSocket: ${mistake}`);
};

/** Return a URL, which may be relative to the page. Outside pages, as in Node, it has to be absolute. */
const absolute = (url: string | URL, form: RegExp, mistake: string): URL => {
  let address: URL | undefined;
  try {
    // `new URL` takes any other value as text, and would resolve "undefined" relative to the page.
    if (typeof url === "string" || url.href) address = new URL(url, globalThis.location?.href);
  } catch {}
  check(address && form.test(address.href), mistake);
  return address!;
};
