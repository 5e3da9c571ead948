import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../src/backoff.ts";

const bounds = (n: number) => [backoff(n, () => 0), backoff(n, () => 1)];

test("waits are random from 0.5 s up to twice as much each time, and at most 20 s", () => {
  assert.deepEqual(bounds(1), [0.5, 2]);
  assert.deepEqual(bounds(2), [0.5, 4]);
  assert.deepEqual(bounds(4), [0.5, 16]);
  assert.deepEqual(bounds(5), [0.5, 20]);
  assert.deepEqual(bounds(5000), [0.5, 20]);
});

test("the waits of 200 clients are spread", () => {
  const seconds = Array.from({ length: 200 }, () => Math.floor(backoff(5)));
  const crowd = Math.max(...seconds.map((s) => seconds.filter((other) => other === s).length));
  assert.ok(crowd < 40, `${crowd} in one second`); // 10 are expected
});
