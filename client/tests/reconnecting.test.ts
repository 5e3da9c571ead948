/** TokenSocket loses its connection, and reconnects or ends; it presents a fresh token in time. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { TokenAuthError } from "../src/index.ts";
import { FakeSocket, World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const AUTH_URL = "https://example.com/auth/";

/** Return an authenticated socket, and the connection below it. */
const opened = async () => {
  const socket = world.open();
  const line = (await world.line()).admits();
  return { socket, line };
};

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

test("a token that expires twice ends the socket: no reason to stop, but to log in", async () => {
  world.open();
  (await world.line()).accepts().ends(4419);
  (await world.line()).accepts().ends(4419);
  await world.clock.pass(0);
  assert.deepEqual(world.types, ["reconnecting", "error", "close"]);
  assert.equal(world.events[1].error.action, "refresh");
});
