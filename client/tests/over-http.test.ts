/** What TokenSocket requests over HTTP: tickets, and check/ after a handshake that failed. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const AUTH_URL = "https://example.com/auth/";

test("1006 before the opening asks check/, with the token in the header", async () => {
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

test("an answer over HTTP that comes too late is ignored", async () => {
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

test("a ticket is in the address, and the token only in the header of its request", async () => {
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

test("Retry-After of a refused ticket delays the next attempt", async () => {
  const headers = { "Retry-After": "7" };
  world.answer = () => Response.json({ code: "unavailable" }, { status: 503, headers });
  world.open({ location: "ticket", authUrl: AUTH_URL });
  await world.line();
  assert.equal(world.events[0].wait, 8);
});

test("a date in Retry-After delays the next attempt", async () => {
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

test("Retry-After of check/ delays the next attempt", async () => {
  const headers = { "Retry-After": "30" };
  world.answer = () => new Response("", { status: 503, headers });
  world.open({ authUrl: AUTH_URL });
  (await world.line()).ends(1006);
  await world.clock.pass(0);
  assert.equal(world.events[0].wait, 31);
});

test("no answer over HTTP, or one that is not JSON, leads to a wait", async () => {
  for (const answer of [() => Promise.reject(new Error("offline")), () => new Response("<html>")]) {
    world = new World();
    world.answer = answer;
    const socket = world.open({ location: "ticket", authUrl: AUTH_URL });
    await world.line();
    assert.deepEqual(world.types, ["reconnecting"]);
    socket.close();
  }
});
