/** How TokenSocket calls getToken: one call at a time, aborted when nobody needs the answer. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { FakeSocket, World } from "./world.ts";

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

test("two calls of getToken never overlap", async () => {
  let running = 0;
  let most = 0;
  world.token = async () => {
    most = Math.max(most, ++running);
    await world.clock.pass(0);
    await new Promise((resolve) => world.clock.setTimeout(() => resolve(null), 40_000));
    running--;
    return "abc";
  };
  const socket = world.open();
  for (let second = 0; second < 300; second += 5) {
    socket.reconnect();
    await world.clock.pass(5);
    const line = FakeSocket.all.at(-1);
    if (second % 3 === 0) line?.admits(31);
    else line?.ends(second % 2 ? 1006 : 4419);
  }
  assert.equal(most, 1);
  assert.ok(world.requests.length > 3);
});

test("a call that takes too long is aborted, and its late answer is used", async () => {
  let answer: (token: string) => void = () => {};
  world.token = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  world.open();
  await world.clock.pass(14);
  const { signal } = world.requests[0]!;
  assert.ok(!signal.aborted);
  await world.clock.pass(1);
  assert.ok(signal.aborted);
  await world.clock.pass(2);
  answer("late");
  assert.deepEqual((await world.line()).offered, ["token-auth.v1", "bearer.late"]);
  assert.equal(world.requests.length, 1);
});

test("close() aborts a call, and its answer is ignored", async () => {
  let answer: (token: string) => void = () => {};
  world.token = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const socket = world.open();
  await world.line();
  socket.close();
  assert.ok(world.requests[0]!.signal.aborted);
  answer("abc");
  await world.clock.pass(99);
  assert.deepEqual([FakeSocket.all.length, world.types], [0, ["close"]]);
});

test("a call that rejects because it was aborted is not reported", async () => {
  world.token = () =>
    new Promise((_, reject) => {
      const { signal } = world.requests.at(-1)!;
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const socket = world.open();
  await world.line();
  socket.close();
  await world.clock.pass(99);
  assert.deepEqual(world.types, ["close"]);
});

test("close() in an event handler works", async () => {
  const { socket, line } = await opened();
  socket.onreconnecting = () => socket.close();
  line.ends(4419);
  await world.clock.pass(99);
  assert.deepEqual(world.types.slice(2), ["reconnecting", "close"]);
  assert.equal(world.requests.length, 2);
  assert.equal(FakeSocket.all.length, 1);
});
