/** A client in a real Node, whose events are printed as JSON, a line each: `node lost.ts URL OPTIONS`.
 *
 * It runs the built client, as sites do, because Node 22 is older than the sources' tools.
 */
// @ts-expect-error - the built file has no types beside it
import { TokenSocket as Built } from "../../src/channels_token_auth/static/channels_token_auth/token-socket.js";
import type { TokenSocket as Source } from "../src/index.ts";

const [url, options] = process.argv.slice(2) as [string, string];
const { token, closeAfter, ...rest } = JSON.parse(options);
const began = performance.now();
const socket: Source = new Built(url, {
  getToken: () => token,
  fetch: (url: URL, init: RequestInit) => {
    print("fetch", url.pathname);
    return fetch(url, init);
  },
  ...rest,
});

function print(...what: unknown[]): void {
  console.log(JSON.stringify([Math.round(performance.now() - began), ...what]));
}
socket.onopen = () => print("open");
socket.onreconnecting = ({ error }) => print("reconnecting", error.code, error.closeCode);
socket.onerror = ({ error }) => print("error", error.code, error.action);
socket.onclose = ({ code }) => {
  print("close", code);
  process.exit();
};
if (closeAfter) setTimeout(() => socket.close(), closeAfter);
