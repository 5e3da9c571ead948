import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, isToken, subprotocol } from "../src/credential.ts";

test("visible characters are a token of any length", () => {
  for (const text of ["a", "é😀", '"', "x".repeat(100_000)]) assert.ok(isToken(text));
});

test("a token has no space or control character, and is a string", () => {
  const blanks = [" a", "a\n", "\u0000", "a\u007f", "\u0085", "\u00a0"];
  for (const text of ["", "\ud83d", ...blanks, null, undefined, 7, {}]) {
    assert.ok(!isToken(text), JSON.stringify(text));
  }
});

test("base64url decodes to the token", () => {
  const token = "ü/?=😀 long enough for all of the alphabet: ~~~???>>>";
  const text = subprotocol(token).replace("base64url.bearer.", "");
  assert.match(text, /^[\w-]+$/);
  assert.equal(Buffer.from(text, "base64url").toString(), token);
});

test("a header contains the UTF-8 of a token", () => {
  assert.equal(bytesOf("é"), "\u00c3\u00a9");
});
