/** TokenSocket as a WebSocket, and how it carries out what its lifecycle decides. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { TokenAuthError, TokenSocket } from "../src/index.ts";
import { FakeSocket, World } from "./world.ts";

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

// -- As a WebSocket

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

// -- Reconnecting

test("a lost connection is reported, and opened again", async () => {
  const { socket, line } = await opened();
  line.ends(1012, "restart");
  assert.equal(socket.readyState, WebSocket.CONNECTING);
  const { wait, error } = world.events.at(-1);
  assert.equal(wait, 1);
  assert.ok(error instanceof TokenAuthError);
  assert.deepEqual([error.code, error.closeCode, error.action], ["closed", 1012, "back_off"]);
  await world.clock.pass(1);
  (await world.line()).admits();
  assert.equal(socket.readyState, WebSocket.OPEN);
  assert.deepEqual(world.types.slice(2), ["reconnecting", "open", "authenticated"]);
  assert.deepEqual(world.reasons, ["open", "reconnect"]);
});

test("a terminal code ends the socket: error, then close, and nothing more", async () => {
  const { socket, line } = await opened();
  line.ends(4423, "user_inactive");
  assert.equal(socket.readyState, WebSocket.CLOSED);
  await world.clock.pass(9999);
  assert.deepEqual(world.types.slice(2), ["error", "close"]);
  const [error, close] = world.events.slice(2);
  assert.deepEqual(
    [error.error.code, error.error.action, String(error.error)],
    ["user_inactive", "stop", "TokenAuthError: user_inactive (4423)"],
  );
  assert.deepEqual([close.code, close.reason, close.wasClean], [4423, "user_inactive", true]);
  assert.equal(FakeSocket.all.length, 1);
});

test("a revoked token asks for another one once, and then for a login", async () => {
  const { socket, line } = await opened();
  line.ends(4410, "token_revoked");
  await world.clock.pass(9999);
  assert.deepEqual(world.reasons, ["open", "rejected"]);
  assert.deepEqual(world.types.slice(2), ["reconnecting", "error", "close"]);
  const { error } = world.events.at(-2);
  assert.deepEqual([error.code, error.action], ["token_revoked", "login"]);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(socket.readyState, WebSocket.CLOSED);
});

test("a refresh that revokes the old token loses no login", async () => {
  const { socket, line } = await opened();
  let answer: (token: string) => void = () => {};
  world.token = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  line.says({ type: "auth.expiring", expires_in: 30 });
  await world.clock.pass(1);
  line.ends(4410, "token_revoked"); // the server has made the new token; its answer is under way
  answer("new");
  const next = await world.line();
  assert.deepEqual(next.offered, ["token-auth.v1", "bearer.new"]);
  next.admits();
  assert.equal(socket.readyState, WebSocket.OPEN);
  assert.deepEqual(world.reasons, ["open", "expiring"]);
});

test("an error of getToken is the cause, and getToken is called again", async () => {
  const cause = new Error("offline");
  world.token = () => {
    throw cause;
  };
  world.open();
  await world.line();
  assert.equal(world.events[0].error.code, "get_token_failed");
  assert.equal(world.events[0].error.cause, cause);
  world.token = () => Promise.resolve("abc");
  await world.clock.pass(1);
  assert.equal(FakeSocket.all.length, 1);
});

test("reconnect() ends a wait", async () => {
  const { socket, line } = await opened();
  line.ends(1006);
  world.token = () => Promise.reject(new Error("offline"));
  await world.clock.pass(50);
  const before = world.requests.length;
  socket.reconnect();
  await world.clock.pass(1);
  assert.equal(world.requests.length, before + 1);
  socket.close();
});

test("events of a connection that was given up are ignored", async () => {
  const { line } = await opened();
  await world.clock.pass(35.1); // no answer to the ping: given up
  assert.deepEqual(line.closed, [1000]);
  line.says("late").ends(4401);
  await world.clock.pass(1);
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(world.types, ["open", "authenticated", "reconnecting"]);
});

test("a browser that forbids the socket ends it, and the error shows no token", async () => {
  const Refuses = class {
    constructor(_: URL, offered: string[]) {
      throw new DOMException(`${offered} is not allowed`, "SyntaxError");
    }
  };
  world.open({ WebSocket: Refuses as any });
  await world.line();
  const { error } = world.events[0];
  assert.deepEqual([error.code, error.action, error.cause], ["not_allowed", "stop", undefined]);
});

test("an error without a close is a lost connection, as in Node 22", async () => {
  world.open({ authUrl: AUTH_URL });
  (await world.line()).dispatchEvent(new Event("error"));
  await world.clock.pass(0);
  assert.equal(world.asked.length, 1); // check/ is asked at once
  assert.deepEqual(world.types, ["reconnecting"]);
  assert.equal(world.events[0].error.closeCode, 1006);
});

test("an error before a close leaves the code to the close", async () => {
  const { line } = await opened();
  line.dispatchEvent(new Event("error"));
  line.ends(4423);
  await world.clock.pass(0);
  assert.deepEqual(world.types.slice(2), ["error", "close"]);
  assert.equal(world.events.at(-1).code, 4423);
});

// -- Reauthentication

test("a fresh token is presented on the open socket before the old one expires", async () => {
  const socket = world.open();
  const line = (await world.line()).admits(60);
  world.token = () => "fresh";
  await world.clock.pass(15);
  line.says("hello");
  socket.send("hello");
  await world.clock.pass(15);
  assert.deepEqual(line.sent, ["hello", '{"type":"auth","token":"fresh"}']);
  line.says({ type: "auth.ok", expires_in: 60, user_id: "7" });
  assert.deepEqual(world.reasons, ["open", "expiring"]);
  assert.deepEqual(world.types, ["open", "authenticated", "message", "authenticated"]);
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test("an expiry in 60 days sets no timer that overflows", async () => {
  world.open();
  (await world.line()).admits(60 * 86_400);
  const waits = [...world.clock.timers.values()].map(({ at }) => at);
  assert.ok(
    waits.every((wait) => wait > 0 && wait <= 20_000),
    String(waits),
  );
});
