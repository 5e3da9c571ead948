/** TokenSocket as a WebSocket: its members, its events and its constants. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { TokenSocket } from "../src/index.ts";
import { World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const invalidState = { name: "InvalidStateError" };
const AUTH_URL = "https://example.com/auth/";

/** Return an authenticated socket, and the connection below it. */
const opened = async (options = {}) => {
  const socket = world.open(options);
  const line = (await world.line()).admits();
  return { socket, line };
};

test("it connects with the token in a subprotocol, and opens on auth.ok", async () => {
  const socket = world.open();
  assert.equal(socket.readyState, WebSocket.CONNECTING);
  const line = await world.line();
  assert.deepEqual(
    [line.url, line.offered],
    ["wss://example.com/chat/", ["token-auth.v1", "bearer.abc"]],
  );
  line.accepts();
  assert.equal(socket.readyState, WebSocket.CONNECTING);
  line.says({ type: "auth.ok", expires_in: 60, user_id: "7" });
  assert.equal(socket.readyState, WebSocket.OPEN);
  assert.deepEqual(world.types, ["open", "authenticated"]);
  assert.deepEqual([world.events[1].expiresIn, world.events[1].userId], [60, "7"]);
  assert.equal(socket.protocol, "token-auth.v1");
});

test("frames of the application pass unchanged, and no others", async () => {
  const { socket, line } = await opened();
  const bytes = new ArrayBuffer(2);
  line.says("hello");
  line.says({ type: "auth.pong" });
  line.dispatchEvent(new MessageEvent("message", { data: bytes }));
  const [first, second] = world.events.filter((event) => event.type === "message");
  assert.ok(first instanceof MessageEvent);
  assert.deepEqual([first.data, first.origin], ["hello", "wss://example.com"]);
  assert.equal(second.data, bytes);
  socket.send(bytes);
  assert.deepEqual(line.sent, [bytes]);
});

test("send throws without a connection, and does nothing after close, as in a WebSocket", async () => {
  const socket = world.open();
  assert.throws(() => socket.send("early"), invalidState);
  const line = (await world.line()).admits();
  line.ends(1006);
  assert.throws(() => socket.send("between"), invalidState);
  socket.close();
  socket.send("late");
  assert.deepEqual(line.sent, []);
});

test("members of the connection below are its own", async () => {
  const { socket, line } = await opened({ protocols: ["chat", "token-auth.v1"] });
  assert.deepEqual(line.offered, ["token-auth.v1", "chat", "bearer.abc"]);
  Object.assign(line, { bufferedAmount: 9, extensions: "permessage-deflate" });
  assert.deepEqual([socket.bufferedAmount, socket.extensions], [9, "permessage-deflate"]);
  line.ends(1006);
  assert.deepEqual([socket.bufferedAmount, socket.extensions, socket.protocol], [0, "", ""]);
});

test("binaryType applies to this connection and the next", async () => {
  const { socket, line } = await opened();
  assert.equal(socket.binaryType, "blob");
  socket.binaryType = "arraybuffer";
  assert.equal(line.binaryType, "arraybuffer");
  line.ends(1006);
  await world.clock.pass(1);
  assert.equal((await world.line()).binaryType, "arraybuffer");
});

test("handlers behave like those of a WebSocket: one each, replaceable, removed by null", async () => {
  const { socket, line } = await opened();
  const heard: string[] = [];
  assert.equal(socket.onmessage, null);
  socket.onmessage = () => heard.push("first");
  socket.onmessage = function ({ data }) {
    heard.push(data, String(this === socket));
  };
  line.says("hello");
  socket.onmessage = null;
  line.says("unheard");
  assert.deepEqual(heard, ["hello", "true"]);
});

test("constants are those of a WebSocket", () => {
  const socket = world.open();
  for (const name of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"] as const) {
    assert.equal(socket[name], WebSocket[name]);
    assert.equal(TokenSocket[name], WebSocket[name]);
  }
  socket.close();
});

test("close() fires close once, with the code of the close frame, and nothing after it", async () => {
  const { socket, line } = await opened();
  socket.close(4000, "bye");
  assert.deepEqual(line.closed, [4000, "bye"]);
  assert.equal(socket.readyState, WebSocket.CLOSING);
  line.ends(4000, "bye");
  assert.equal(socket.readyState, WebSocket.CLOSED);
  await world.clock.pass(9999);
  const { code, reason, wasClean } = world.events.at(-1);
  assert.deepEqual([code, reason, wasClean], [4000, "bye", true]);
  assert.deepEqual(world.types, ["open", "authenticated", "close"]);
  assert.equal(world.clock.timers.size, 0);
});

test("close() with a code that WebSockets forbid throws, and closes nothing", async () => {
  const { socket } = await opened();
  assert.throws(() => socket.close(7), { name: "InvalidAccessError" });
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test("the close event comes after the call that causes it", () => {
  const socket = world.open();
  socket.close();
  assert.deepEqual(world.types, []);
  assert.equal(socket.readyState, WebSocket.CLOSED);
});

test("http addresses become ws", () => {
  assert.equal(world.open({}, "https://example.com/a?b").url, "wss://example.com/a?b");
  assert.equal(world.open({}, "http://example.com/").url, "ws://example.com/");
});

test("addresses are relative to the page", async () => {
  Object.assign(globalThis, { location: { href: "https://example.com/page/?q" } });
  try {
    const socket = world.open({ location: "ticket", authUrl: "../auth" }, "/chat/");
    assert.equal(socket.url, "wss://example.com/chat/");
    await world.line();
    assert.equal(world.asked[0]!.url, `${AUTH_URL}ticket/`);
  } finally {
    Reflect.deleteProperty(globalThis, "location");
  }
});
