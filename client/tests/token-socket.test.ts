/** TokenSocket: its face as a WebSocket, and what it does about what its lifecycle wants. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { TokenAuthError, TokenSocket } from "../src/index.ts";
import { FakeSocket, WAKING, World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const invalidState = { name: "InvalidStateError" };
const AUTH_URL = "https://example.com/auth/";

/** A socket that is in, and the line below it. */
const opened = async (options = {}) => {
  const socket = world.open(options);
  const line = (await world.line()).admits();
  return { socket, line };
};

// -- As a WebSocket

test("it connects with the token in a subprotocol, and is open when the server has let it in", async () => {
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

test("frames of the application's pass as they are, and no others", async () => {
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

test("sending throws while there is no line, and is ignored after the end, as in a WebSocket", async () => {
  const socket = world.open();
  assert.throws(() => socket.send("early"), invalidState);
  const line = (await world.line()).admits();
  line.ends(1006);
  assert.throws(() => socket.send("between"), invalidState);
  socket.close();
  socket.send("late");
  assert.deepEqual(line.sent, []);
});

test("what the line below has is its own", async () => {
  const { socket, line } = await opened({ protocols: ["chat", "token-auth.v1"] });
  assert.deepEqual(line.offered, ["token-auth.v1", "chat", "bearer.abc"]);
  Object.assign(line, { bufferedAmount: 9, extensions: "permessage-deflate" });
  assert.deepEqual([socket.bufferedAmount, socket.extensions], [9, "permessage-deflate"]);
  line.ends(1006);
  assert.deepEqual([socket.bufferedAmount, socket.extensions, socket.protocol], [0, "", ""]);
});

test("binaryType holds for this line and the next", async () => {
  const { socket, line } = await opened();
  assert.equal(socket.binaryType, "blob");
  socket.binaryType = "arraybuffer";
  assert.equal(line.binaryType, "arraybuffer");
  line.ends(1006);
  await world.clock.pass(1);
  assert.equal((await world.line()).binaryType, "arraybuffer");
});

test("handlers are those of a WebSocket: one each, in their place, and null to take them away", async () => {
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

test("the page closes it: close comes once, with what the wire said, and nothing follows", async () => {
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

test("a code that no WebSocket may be closed with throws, and closes nothing", async () => {
  const { socket } = await opened();
  assert.throws(() => socket.close(7), { name: "InvalidAccessError" });
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test("close comes after the call that causes it", () => {
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

test("a lost line comes back by itself, and says so", async () => {
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

test("a terminal code ends it: error, then close, and never again", async () => {
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

test("what getToken throws is the cause, and is tried again", async () => {
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

test("reconnect() does not wait any longer", async () => {
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

test("what an old line still says is not heard", async () => {
  const { line } = await opened();
  await world.clock.pass(35.1); // no answer to the ping: given up
  assert.deepEqual(line.closed, [1000]);
  line.says("late").ends(4401);
  await world.clock.pass(1);
  assert.equal(FakeSocket.all.length, 2);
  assert.deepEqual(world.types, ["open", "authenticated", "reconnecting"]);
});

test("a browser that does not let the page open it ends it, and tells no token", async () => {
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

// -- getToken

test("two calls never run at once, whatever happens meanwhile", async () => {
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

test("a call that takes too long is told so, and its answer is not wasted", async () => {
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

test("closing while it runs aborts it, and nothing comes of its answer", async () => {
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

test("a call that rejects because it was aborted is no error of anybody's", async () => {
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

test("page code that closes it in an event is obeyed", async () => {
  const { socket, line } = await opened();
  socket.onreconnecting = () => socket.close();
  line.ends(4419);
  await world.clock.pass(99);
  assert.deepEqual(world.types.slice(2), ["reconnecting", "close"]);
  assert.equal(world.requests.length, 2);
  assert.equal(FakeSocket.all.length, 1);
});

// -- Renewal

test("a fresh token is presented in place before the old one ends", async () => {
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

test("an end in 60 days sets no timer that overflows", async () => {
  world.open();
  (await world.line()).admits(60 * 86_400);
  const waits = [...world.clock.timers.values()].map(({ at }) => at);
  assert.ok(
    waits.every((wait) => wait > 0 && wait <= 20_000),
    String(waits),
  );
});

// -- The machine and the page

test("after a sleep the line is tried at once, and given up in 5 s", async () => {
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

test("a calendar that is set back makes no wait longer than twice", async () => {
  const { line } = await opened();
  line.ends(1006);
  world.clock.sleep(-86_400);
  await world.clock.pass(2);
  assert.equal(FakeSocket.all.length, 2);
});

test("by itself it uses what the platform has", async () => {
  const nowhere = "http://127.0.0.1:1/"; // the discard port of old: nobody listens
  const socket = new TokenSocket(nowhere, { getToken: () => "abc", authUrl: nowhere });
  const [event] = await once(socket, "reconnecting");
  assert.deepEqual([event.error.code, event.error.closeCode], ["closed", 1006]);
  assert.ok(event.wait >= 0.5 && event.wait <= 2);
  socket.close();
});

// -- Over HTTP

test("1006 before the opening is looked into, with the token in the header", async () => {
  world.answer = () => Response.json({ code: "token_invalid" }, { status: 401 });
  world.open({ authUrl: AUTH_URL });
  (await world.line()).ends(1006);
  await world.clock.pass(0);
  const [{ url, init }] = world.asked as any;
  assert.deepEqual([init.method, url], ["GET", "https://example.com/auth/check/"]);
  assert.deepEqual(init.headers, { Authorization: "Bearer abc" });
  assert.deepEqual(world.reasons, ["open", "rejected"]);
  assert.equal(world.events.at(-1).type, "close");
  assert.equal(world.events.at(-2).error.code, "token_invalid");
});

test("an answer that comes too late is not heard", async () => {
  let answer: (response: Response) => void = () => {};
  world.answer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  world.open({ authUrl: AUTH_URL });
  (await world.line()).ends(1006);
  await world.clock.pass(15);
  assert.ok(world.asked[0]!.init.signal!.aborted);
  answer(Response.json({ code: "token_invalid" }, { status: 401 }));
  await world.clock.pass(1);
  assert.deepEqual(world.types, ["reconnecting"]);
});

test("a ticket goes into the address, and the token into the header of its request only", async () => {
  world.answer = () => Response.json({ ticket: "t&1", expires_in: 30 });
  const url = "wss://example.com/chat/?room=a%20b";
  const socket = world.open({ location: "ticket", authUrl: "https://example.com/auth" }, url);
  const line = await world.line();
  assert.equal(line.url, `${url}&ticket=t%261`);
  assert.deepEqual(line.offered, ["token-auth.v1"]);
  assert.equal(world.asked[0]!.url, "https://example.com/auth/ticket/");
  assert.equal(socket.url, url);
});

test("without a token the session counts: no Authorization is sent", async () => {
  world.token = () => "";
  world.open({ location: "ticket", authUrl: AUTH_URL });
  await world.line();
  assert.deepEqual(world.asked[0]!.init.headers, {});
});

test("Retry-After of a refused ticket is waited for", async () => {
  const headers = { "Retry-After": "7" };
  world.answer = () => Response.json({ code: "unavailable" }, { status: 503, headers });
  world.open({ location: "ticket", authUrl: AUTH_URL });
  await world.line();
  assert.equal(world.events[0].wait, 8);
});

test("a date in Retry-After is waited for", async () => {
  const date = new Date(world.clock.time + 30_000).toUTCString();
  world.answer = () => new Response("", { status: 503, headers: { "Retry-After": date } });
  world.open({ location: "ticket", authUrl: AUTH_URL });
  await world.line();
  assert.ok(Math.abs(world.events[0].wait - 31) <= 1, world.events[0].wait);
});

for (const header of ["soon", "-5", "", "Infinity", new Date(0).toUTCString()]) {
  test(`a Retry-After of "${header}" asks for no wait`, async () => {
    const headers = { "Retry-After": header };
    world.answer = () => new Response("", { status: 503, headers });
    world.open({ location: "ticket", authUrl: AUTH_URL });
    await world.line();
    assert.equal(world.events[0].wait, 1);
  });
}

test("Retry-After of check/ is waited for", async () => {
  const headers = { "Retry-After": "30" };
  world.answer = () => new Response("", { status: 503, headers });
  world.open({ authUrl: AUTH_URL });
  (await world.line()).ends(1006);
  await world.clock.pass(0);
  assert.equal(world.events[0].wait, 31);
});

test("no answer over HTTP, or one that is no JSON, is a reason to wait", async () => {
  for (const answer of [() => Promise.reject(new Error("offline")), () => new Response("<html>")]) {
    world = new World();
    world.answer = answer;
    const socket = world.open({ location: "ticket", authUrl: AUTH_URL });
    await world.line();
    assert.deepEqual(world.types, ["reconnecting"]);
    socket.close();
  }
});
