/** TokenSocket on a machine that sleeps, and in a page that is hidden or offline. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { TokenSocket } from "../src/index.ts";
import { FakeSocket, WAKING, World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const opened = async () => {
  const socket = world.open();
  const line = (await world.line()).admits();
  return { socket, line };
};

test("after a sleep the connection is pinged at once, and given up after 5 s", async () => {
  const { line } = await opened();
  await world.clock.pass(1);
  world.clock.sleep(3600);
  WAKING["online"]!.dispatchEvent(new Event("online"));
  assert.deepEqual(line.sent, ['{"type":"auth.ping"}']);
  await world.clock.pass(5);
  assert.deepEqual(world.types.slice(2), ["reconnecting"]);
});

for (const [type, target] of Object.entries(WAKING)) {
  test(`${type} ends a long wait`, async () => {
    const { socket, line } = await opened();
    world.token = () => Promise.reject(new Error("offline"));
    line.ends(1006);
    await world.clock.pass(50);
    const before = world.requests.length;
    target.dispatchEvent(new Event(type));
    await world.clock.pass(1);
    assert.equal(world.requests.length, before + 1);
    socket.close();
    target.dispatchEvent(new Event(type));
    await world.clock.pass(99);
    assert.equal(world.requests.length, before + 1);
  });
}

test("a slow upload keeps its connection while bytes leave, and loses it when they stop", async () => {
  const { socket, line } = await opened();
  for (let left = 90; left > 40; left -= 10) {
    line.bufferedAmount = left + 20; // the page adds bytes while others leave
    socket.send("part");
    line.bufferedAmount = left;
    await world.clock.pass(14);
  }
  assert.deepEqual(world.types, ["open", "authenticated"]);
  await world.clock.pass(30);
  assert.deepEqual(world.types.slice(2), ["reconnecting"]);
});

test("a calendar that is set back does not lengthen a wait", async () => {
  const { line } = await opened();
  line.ends(1006);
  world.clock.sleep(-86_400);
  await world.clock.pass(2);
  assert.equal(FakeSocket.all.length, 2);
});

test("the platform's WebSocket and fetch are the defaults", async () => {
  const nowhere = "http://127.0.0.1:1/"; // no server listens on this port
  const socket = new TokenSocket(nowhere, { getToken: () => "abc", authUrl: nowhere });
  const [event] = await once(socket, "reconnecting");
  assert.deepEqual([event.error.code, event.error.closeCode], ["closed", 1006]);
  assert.ok(event.wait >= 0.5 && event.wait <= 2);
  socket.close();
});
