/** Many clients in one process, which lose their server and find it again: `node crowd.ts URL COUNT`.
 *
 * URL is the site's, with http. Prints "in" when all sockets are open, and the first wait of each as JSON
 * when all are open again.
 */
import { TokenSocket } from "../src/index.ts";

const [url, count] = [process.argv[2]!, Number(process.argv[3])];
const waits = new Map<number, number>();
const sockets = Array.from(
  { length: count },
  () => new TokenSocket(url, { getToken: () => "ada", authUrl: new URL("/auth/", url) }),
);
const areIn = () => sockets.every(({ readyState }) => readyState === TokenSocket.OPEN);

for (const [number, socket] of sockets.entries()) {
  socket.addEventListener("open", () => {
    if (!areIn()) return;
    if (waits.size < count) return console.log("in");
    console.log(JSON.stringify([...waits.values()]));
    for (const one of sockets) one.close();
  });
  socket.addEventListener("reconnecting", ({ wait }) => {
    if (!waits.has(number)) waits.set(number, wait);
  });
  socket.addEventListener("error", ({ error }) => {
    throw error;
  });
}
