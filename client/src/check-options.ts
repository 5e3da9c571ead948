/** Mistakes in the arguments of a TokenSocket: each throws a `TypeError` that names it.
 *
 * Found later, most of them would look like a lost connection, and the socket would reconnect for ever.
 * No message shows a value: it may contain a token.
 */
import { isSubprotocol } from "./credential.ts";
import type { TokenSocketOptions } from "./options.ts";

const LOCATIONS = ["subprotocol", "first_message", "ticket"];

/** Return the socket's address, and that of the resources over HTTP if the options have one. */
export const checkOptions = (url: string | URL, options: TokenSocketOptions): [URL, URL | null] => {
  const given: Partial<TokenSocketOptions> = options ?? {};
  const { location = LOCATIONS[0]!, protocols = [], authUrl } = given;
  for (const name of ["getToken", "backoff", "fetch", "WebSocket"] as const) {
    const type = typeof given[name];
    const isDefault = type === "undefined" && name !== "getToken";
    check(isDefault || type === "function", `${name} must be a function, not ${type}`);
  }
  check(LOCATIONS.includes(location), `location must be one of ${LOCATIONS}`);
  check(authUrl || location !== "ticket", "tickets need authUrl");
  // A repeated or impossible name would make every `new WebSocket` throw. An entry with a token belongs to
  // code for a plain WebSocket; the server refuses two credentials.
  const names = [protocols].flat();
  const areRight = names.every((name) => isSubprotocol(name) && !/bearer\./.test(name));
  check(
    areRight && new Set(names).size === names.length,
    "protocols must be different plain names",
  );
  const address = absolute(
    url,
    /^(ws|http)s?:[^#]+$/,
    "url must be a ws, wss, http or https address without #",
  );
  address.protocol = address.protocol.replace("http", "ws");
  const isHttp = /^https?:..[^@/]+\//; // fetch refuses addresses with a password
  return [
    address,
    authUrl ? absolute(authUrl, isHttp, "authUrl must be an http or https address") : null,
  ];
};

const check = (isRight: unknown, mistake: string): void => {
  if (!isRight) throw new TypeError(`TokenSocket: ${mistake}`);
};

/** Return an address relative to the page. Outside pages, as in Node, it has to be complete. */
const absolute = (url: string | URL, form: RegExp, mistake: string): URL => {
  let address: URL | undefined;
  try {
    // Every other value has a text too, such as "undefined", which would be relative to the page.
    if (typeof url === "string" || url.href) address = new URL(url, globalThis.location?.href);
  } catch {}
  check(address && form.test(address.href), mistake);
  return address!;
};
