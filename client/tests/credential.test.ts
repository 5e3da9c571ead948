import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, isToken, subprotocol } from "../src/credential.ts";

test("tokens of up to 4,096 bytes of UTF-8 are tokens", () => {
  assert.ok(isToken("x".repeat(4096)));
  assert.ok(isToken("é".repeat(2048)));
  assert.ok(isToken("😀".repeat(1024)));
});

test("what no server takes is no token", () => {
  const blanks = [" a", "a\n", "\u0000", "a\u007f", "\u0085", "\u00a0"];
  const tooLong = ["x".repeat(4097), "é".repeat(2049)];
  for (const text of ["", "\ud83d", ...blanks, ...tooLong, null, undefined, 7, {}]) {
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
