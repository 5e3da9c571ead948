import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, isToken, subprotocol } from "../src/credential.ts";

test("visible characters are a token, whatever its length", () => {
  for (const text of ["a", "é😀", '"', "x".repeat(100_000)]) assert.ok(isToken(text));
});

test("spaces, control characters and anything but text are no token", () => {
  const blanks = [" a", "a\n", "\u0000", "a\u007f", "\u0085", "\u00a0"];
  for (const text of ["", "\ud83d", ...blanks, null, undefined, 7, {}]) {
    assert.ok(!isToken(text), JSON.stringify(text));
  }
});

test("a token in base64url comes back whole", () => {
  const token = "ü/?=😀 long enough for all of the alphabet: ~~~???>>>";
  const text = subprotocol(token).replace("base64url.bearer.", "");
  assert.match(text, /^[\w-]+$/);
  assert.equal(Buffer.from(text, "base64url").toString(), token);
});

test("a header gets a token's UTF-8, a byte a character", () => {
  assert.equal(bytesOf("é"), "\u00c3\u00a9");
});
