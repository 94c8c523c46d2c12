/** Reading text/event-stream. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStreamParser } from "../../widget/chat/static/event-stream.js";

/** All frames of a text that arrives in pieces of `size` bytes. */
function frames(text, size = 1e9) {
  const bytes = new TextEncoder().encode(text);
  const parser = new EventStreamParser();
  const found = [];
  for (let at = 0; at < bytes.length; at += size) found.push(...parser.push(bytes.slice(at, at + size)));
  return found;
}

const TWO = 'id: 7\nevent: event\ndata: {"seq":7}\n\n: beat\n\nevent: typing\ndata: {"author":"bot"}\n\n';

test("numbered frames, frames without a number, and signs of life", () => {
  assert.deepEqual(frames(TWO), [
    { event: "event", data: '{"seq":7}', id: "7" },
    { event: "beat", data: "", id: null },
    { event: "typing", data: '{"author":"bot"}', id: null },
  ]);
});

for (const size of [1, 2, 3, 5, 8, 13]) {
  test(`pieces of ${size} bytes give the same frames, whatever ends the lines`, () => {
    for (const end of ["\n", "\r\n", "\r"]) assert.deepEqual(frames(TWO.replaceAll("\n", end) + ":\n", size).slice(0, 3), frames(TWO));
  });
}

test("letters of several bytes survive being cut in two", () => {
  assert.equal(frames("data: Grüße, 世界 🏠\n\n", 1)[0].data, "Grüße, 世界 🏠");
});

test("several data lines are one text, one leading blank is left out", () => {
  assert.deepEqual(frames("data:one\ndata:  two\ndata\n\n"), [{ event: "message", data: "one\n two\n", id: null }]);
});

test("a frame without data or without its end is not a frame", () => {
  assert.deepEqual(frames("event: event\n\nid: 4\n\n"), []);
  assert.deepEqual(frames("data: cut off"), []);
});

test("an unknown field and a byte order mark are passed over", () => {
  assert.deepEqual(frames("\ufeffdata: x\nretry: 5\n\n"), [{ event: "message", data: "x", id: null }]);
});
