/** Waiting between tries. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { backOff, pause } from "../../widget/chat/static/back-off.js";

test("waits double, and stop growing at five seconds", () => {
  const waits = [1, 2, 3, 4, 5, 6, 60].map((failures) => backOff(failures, { random: () => 1 }));
  assert.deepEqual(waits, [400, 800, 1600, 3200, 5000, 5000, 5000]);
});

test("chance leaves out up to half, so that not all come back at once", () => {
  assert.equal(backOff(2, { random: () => 0 }), 400);
  const waits = new Set(Array.from({ length: 50 }, () => backOff(6)));
  assert.ok(waits.size > 10);
  for (const wait of waits) assert.ok(wait >= 2500 && wait <= 5000);
});

test("a pause ends when it is woken, and when all ends", async () => {
  let wake;
  const slept = pause(60_000, new AbortController().signal, (end) => (wake = end));
  wake();
  await slept;
  const controller = new AbortController();
  const stopped = pause(60_000, controller.signal);
  controller.abort();
  await stopped;
  await pause(60_000, controller.signal);
});
