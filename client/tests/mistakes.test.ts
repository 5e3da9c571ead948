/** Mistakes of the page's developer. The error names each of them, and none causes a reconnect loop. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { TokenSocket, type TokenSocketOptions } from "../src/index.ts";
import { FakeSocket, World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const URL_ = "wss://example.com/";
const getToken = () => "abc";
const make = (url: any, options: any) => () => new TokenSocket(url, options);
const SECRET = "s3cr3t";

// What the constructor refuses, and the words that the message has to contain.
const OPTIONS: [string, unknown, RegExp][] = [
  ["no options", undefined, /getToken must be a function, not undefined/],
  ["null", null, /getToken/],
  ["text", SECRET, /getToken/],
  ["no getToken", {}, /getToken must be a function, not undefined/],
  ["a token", { token: SECRET }, /getToken/],
  ["getToken a text", { getToken: SECRET }, /getToken must be a function, not string/],
  ["getToken a promise", { getToken: Promise.resolve(SECRET) }, /getToken/],
  ["location query", { getToken, location: "query" }, /location .*first_message/],
  ["location header", { getToken, location: "header" }, /location/],
  ["location in another case", { getToken, location: "Ticket" }, /location/],
  ["location null", { getToken, location: null }, /location/],
  ["tickets without authUrl", { getToken, location: "ticket" }, /authUrl/],
  ["tickets with an empty authUrl", { getToken, location: "ticket", authUrl: "" }, /authUrl/],
  ["authUrl without a scheme", { getToken, authUrl: "example.com/auth" }, /authUrl/],
  ["authUrl of another scheme", { getToken, authUrl: "wss://example.com/auth/" }, /authUrl/],
  ["authUrl with a password", { getToken, authUrl: `https://a:${SECRET}@example.com/` }, /authUrl/],
  ["authUrl a number", { getToken, authUrl: 7 }, /authUrl/],
  ["protocols with a space", { getToken, protocols: "chat v2" }, /protocols/],
  ["protocols with a comma", { getToken, protocols: ["chat, v2"] }, /protocols/],
  ["protocols twice", { getToken, protocols: ["chat", "chat"] }, /protocols/],
  ["protocols a number", { getToken, protocols: 7 }, /protocols/],
  ["protocols empty", { getToken, protocols: [""] }, /protocols/],
  ["protocols with a token", { getToken, protocols: [`bearer.${SECRET}`] }, /protocols/],
  ["backoff a number", { getToken, backoff: 5 }, /backoff must be a function, not number/],
  ["fetch null", { getToken, fetch: null }, /fetch/],
  ["WebSocket an instance", { getToken, WebSocket: {} }, /WebSocket/],
];
for (const [name, options, words] of OPTIONS) {
  test(`options: ${name}`, () => {
    assert.throws(make(URL_, options), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /s3cr3t/);
      return true;
    });
  });
}

test("platform without WebSocket: one has to be passed", () => {
  const { WebSocket } = globalThis;
  Reflect.deleteProperty(globalThis, "WebSocket");
  try {
    assert.throws(make(URL_, { getToken }), /WebSocket is missing here: pass it/);
    make(URL_, { getToken, WebSocket: FakeSocket })().close();
  } finally {
    globalThis.WebSocket = WebSocket;
  }
});

const ADDRESSES: unknown[] = [undefined, null, {}, 7, "//", "", "/chat/", "ftp://example.com/"];
for (const address of [...ADDRESSES, `${URL_}#top`, "mailto:ada@example.com"]) {
  test(`address: ${JSON.stringify(address)}`, () => {
    assert.throws(make(address, { getToken }), { name: "TypeError", message: /url/ });
  });
}

test("options that are undefined have their defaults", () => {
  world.open({ location: undefined, protocols: undefined, authUrl: undefined } as any);
});

test("an address in the path of authUrl may have an @", () => {
  world.open({ authUrl: "https://example.com/users/@me/" });
});

// -- getToken

const ANSWERS: [unknown, RegExp][] = [
  [undefined, /getToken returned undefined; return null to ask for a login/],
  [{ access: SECRET }, /getToken returned object/],
  [[SECRET], /object/],
  [7, /number/],
  [true, /boolean/],
  [() => SECRET, /function/],
  [`${SECRET}\n`, /control character/],
  [`Bearer ${SECRET}`, /space/],
];
for (const [answer, words] of ANSWERS) {
  test(`getToken returns ${typeof answer} ${JSON.stringify(answer)}`, async () => {
    world.token = () => answer as string;
    world.open();
    await world.clock.pass(99);
    assert.deepEqual(world.types, ["error", "close"]);
    const { error } = world.events[0];
    assert.deepEqual([error.code, error.action], ["get_token_invalid", "stop"]);
    assert.match(error.message, words);
    assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /s3cr3t/);
    assert.deepEqual([FakeSocket.all.length, world.requests.length], [0, 1]);
  });
}

test("getToken that loses its answer after an expiry does not loop", async () => {
  world.open();
  const line = (await world.line()).admits();
  world.token = () => undefined as unknown as string;
  line.ends(4419);
  await world.clock.pass(99);
  assert.deepEqual(world.types.slice(2), ["reconnecting", "error", "close"]);
  assert.equal(world.requests.length, 2);
});

for (const wait of [Number.NaN, -1, undefined, "soon"]) {
  test(`backoff that returns ${wait} is replaced by the default`, async () => {
    world.open({ backoff: () => wait as number });
    (await world.line()).ends(1006);
    const { wait: seconds } = world.events[0];
    assert.ok(seconds >= 0.5 && seconds <= 2, seconds);
  });
}

// -- authUrl

const tickets: Partial<TokenSocketOptions> = {
  location: "ticket",
  authUrl: "https://example.com/wrong/?key=s3cr3t",
};

test("authUrl that leads nowhere stops, and the error names the request", async () => {
  world.answer = () => new Response("<h1>Not found</h1>", { status: 404 });
  world.open(tickets);
  await world.clock.pass(99);
  assert.equal(world.asked.length, 1);
  const { error } = world.events[0];
  assert.deepEqual([error.code, error.action], ["refused", "stop"]);
  assert.match(error.message, /POST https:\/\/example.com\/wrong\/ticket\/ got 404.*authUrl/);
  assert.doesNotMatch(error.message, /s3cr3t/);
});

test("authUrl that leads to a page waits, and the error names the request", async () => {
  world.answer = () => new Response("<h1>Welcome</h1>");
  world.open(tickets);
  await world.clock.pass(0);
  const { error } = world.events[0];
  assert.match(error.message, /got 200.*authUrl/);
  assert.equal(error.action, "back_off");
});

test("authUrl that leads nowhere is named after a handshake that fails", async () => {
  world.answer = () => new Response("", { status: 404 });
  world.open({ authUrl: "https://example.com/wrong/" });
  (await world.line()).ends(1006);
  await world.clock.pass(0);
  assert.match(world.events[0].error.message, /closed \(1006\): GET .*check\/ got 404.*authUrl/);
});

test("a refusal with a slug is no mistake of authUrl", async () => {
  world.answer = () => Response.json({ code: "forbidden" }, { status: 403 });
  world.open(tickets);
  await world.clock.pass(0);
  const { message } = world.events[0].error;
  assert.match(message, /^forbidden \(4403\): POST .* got 403$/);
});

test("fetch that throws is the cause", async () => {
  const cause = new TypeError("Failed to fetch");
  world.open({ ...tickets, fetch: () => Promise.reject(cause) });
  await world.clock.pass(0);
  const { error } = world.events[0];
  assert.equal(error.cause, cause);
  assert.match(error.message, /got no answer/);
});
