/** Run the vectors and the table of close codes of the specification. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, isSlug, slugOf } from "../src/close-codes.ts";
import { subprotocol } from "../src/credential.ts";
import { APPLICATION, read } from "../src/messages.ts";
import { live, type Sequence } from "./life.ts";
import { load } from "./spec.ts";

const codes = load("close_codes.json");
const messages = load("vectors/messages.json");
const lives = load("vectors/client.json");

for (const { slug, close_code: code, client } of codes.codes) {
  test(`${code} ${slug} has its action`, () => {
    assert.ok(isSlug(slug));
    assert.equal(slugOf(code, slug), slug);
    assert.equal(actionOf(code), client);
  });
}

for (const { close_code: code, client } of codes.servers) {
  test(`${code} of a server or proxy: ${client}`, () => {
    assert.equal(slugOf(code, ""), undefined);
    assert.equal(actionOf(code), client);
  });
}

test("every other code has the action of the table", () => {
  const known = new Set(codes.codes.map((row: any) => row.close_code));
  for (let code = 1000; code < 5000; code++) {
    if (known.has(code)) continue;
    const range = codes.unknown.find((row: any) => row.from <= code && code <= row.to);
    assert.equal(actionOf(code), range?.client ?? codes.otherwise, `${code}`);
  }
});

for (const { name, message } of messages.server) {
  test(`message of the server is read: ${name}`, () => {
    assert.deepEqual(read(JSON.stringify(message)), message);
  });
}

for (const { name, text, is } of messages.client) {
  test(`frame is read as specified: ${name}`, () => {
    const message = read(text);
    const found = message === APPLICATION ? "application" : (message ?? "ignored");
    assert.deepEqual(found, is);
  });
}

const PLAIN = /^(base64url\.)?bearer\.(?!authorization|phx)/; // no other library's dialect
for (const { name, subprotocols, credential } of load("vectors/extraction.json").cases) {
  const entry = subprotocols.find((offered: string) => PLAIN.test(offered));
  if (credential?.location !== "subprotocol" || !entry) continue;
  test(`a token is written so that servers read it: ${name}`, () => {
    assert.equal(subprotocol(credential.token), entry);
  });
}

for (const { name, rules, steps } of lives.sequences as Sequence[]) {
  test(`client lives as specified: ${name}`, () => {
    assert.deepEqual(live({ ...lives.rules, ...rules }, steps), steps);
  });
}
