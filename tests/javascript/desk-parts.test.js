/** The small parts of the desk: reading the stream, pausing, drafts, words, addresses. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Drafts } from "../../widget/desk/static/desk-drafts.js";
import { safeUrl } from "../../widget/desk/static/desk-nodes.js";
import { coalesced, pause, pauseMs } from "../../widget/desk/static/desk-pace.js";
import { frameReader } from "../../widget/desk/static/desk-stream.js";
import { text } from "../../widget/desk/static/desk-text.js";

/** What a browser's storage is to the desk. */
class FakeStorage {
  constructor() {
    this.items = new Map();
    this.refuses = false;
  }

  get length() {
    return this.items.size;
  }

  key(index) {
    return [...this.items.keys()][index] ?? null;
  }

  getItem(name) {
    if (this.refuses) throw new Error("blocked");
    return this.items.get(name) ?? null;
  }

  setItem(name, value) {
    if (this.refuses) throw new Error("full");
    this.items.set(name, value);
  }

  removeItem(name) {
    this.items.delete(name);
  }
}

test("frames are read wherever the network cuts them", () => {
  const sent = ': beat\r\n\r\nid: 7\nevent: change\ndata: {"conversation_id":"c",\ndata: "kind":"note"}\n\nevent: typing\ndata: {"conversation_id":"d"}\n\n';
  for (const size of [1, 2, 5, 7, 1000]) {
    const frames = [];
    const read = frameReader((frame) => frames.push(frame));
    for (let at = 0; at < sent.length; at += size) read(sent.slice(at, at + size));
    assert.deepEqual(frames, [
      { event: "change", id: "7", data: { conversation_id: "c", kind: "note" } },
      { event: "typing", id: null, data: { conversation_id: "d" } },
    ]);
  }
});

test("a frame that is no JSON is passed over, the next one is read", () => {
  const frames = [];
  frameReader((frame) => frames.push(frame.data))('data: {oops\n\ndata: {"fine":1}\n\n');
  assert.deepEqual(frames, [{ fine: 1 }]);
});

test("pauses double up to half a minute and are spread", () => {
  assert.deepEqual([1, 2, 3, 9].map((failures) => pauseMs(failures, 1000, () => 1)), [1000, 2000, 4000, 30_000]);
  assert.equal(pauseMs(1, 1000, () => 0), 500);
});

test("a pause ends early when it is told to", async () => {
  const nap = new AbortController();
  const began = Date.now();
  setTimeout(() => nap.abort(), 10);
  await pause(60_000, nap.signal);
  await pause(60_000, nap.signal);
  assert.ok(Date.now() - began < 5000);
});

test("calls while work is under way make it run once more, not once each", async () => {
  let runs = 0;
  const run = coalesced(async () => {
    runs += 1;
    await pause(5);
  }, { firstPauseMs: 1, isOver: () => false });
  await Promise.all([run(), run(), run(), run()]);
  assert.equal(runs, 2);
  await run();
  assert.equal(runs, 3);
});

test("work that fails is tried again by itself until it is done", async () => {
  let runs = 0;
  const run = coalesced(async () => {
    runs += 1;
    if (runs < 3) throw Object.assign(new Error("busy"), { status: 503 });
  }, { firstPauseMs: 1, isOver: () => false });
  await run();
  for (let waits = 0; runs < 3 && waits < 500; waits += 1) await pause(2);
  assert.equal(runs, 3);
});

test("work that fails is left alone when it is over", async () => {
  let runs = 0;
  const run = coalesced(async () => {
    runs += 1;
    throw Object.assign(new Error("busy"), { status: 503 });
  }, { firstPauseMs: 1, isOver: () => true });
  await run();
  await pause(20);
  assert.equal(runs, 1);
});

test("a mistake of ours is not taken for a failed call", async () => {
  const run = coalesced(async () => null.nothing, { firstPauseMs: 1, isOver: () => false });
  await assert.rejects(run, TypeError);
});

test("drafts are kept for each conversation and kind, over a reload", () => {
  const storage = new FakeStorage();
  const drafts = new Drafts(storage);
  drafts.write("c", "reply", "Hello");
  drafts.write("c", "note", "odd one");
  drafts.write("d", "reply", "Dear");
  drafts.write("d", "reply", "");
  const reloaded = new Drafts(storage);
  assert.equal(reloaded.read("c", "reply"), "Hello");
  assert.equal(reloaded.read("c", "note"), "odd one");
  assert.equal(reloaded.read("d", "reply"), "");
});

test("words that come back stand before what was written since", () => {
  const drafts = new Drafts(new FakeStorage());
  drafts.giveBack("c", "reply", "first");
  assert.equal(drafts.read("c", "reply"), "first");
  drafts.giveBack("c", "reply", "even earlier");
  assert.equal(drafts.read("c", "reply"), "even earlier\nfirst");
});

test("where storage is blocked, drafts live as long as the page", () => {
  const storage = new FakeStorage();
  storage.refuses = true;
  for (const drafts of [new Drafts(storage), new Drafts(null)]) {
    drafts.write("c", "reply", "Hello");
    assert.equal(drafts.read("c", "reply"), "Hello");
    drafts.clear();
    assert.equal(drafts.read("c", "reply"), "");
  }
});

test("another person on the same tab finds no drafts, and foreign entries stay", () => {
  const storage = new FakeStorage();
  storage.setItem("shop.cart", "3");
  const drafts = new Drafts(storage);
  assert.equal(drafts.belongTo("s1"), true);
  drafts.write("c", "reply", "Hello");
  assert.equal(drafts.belongTo("s1"), true);
  assert.equal(drafts.read("c", "reply"), "Hello");
  assert.equal(drafts.belongTo("s2"), false);
  assert.equal(drafts.read("c", "reply"), "");
  assert.equal(storage.getItem("shop.cart"), "3");
});

test("an outbox that cannot be read is an empty one", () => {
  const storage = new FakeStorage();
  storage.setItem("touchdesk.desk.outbox", "{oops");
  assert.deepEqual(new Drafts(storage).readOutbox(), []);
});

test("spans are said in the unit that fits", () => {
  assert.deepEqual([-5, 0, 59.9, 60, 3599, 3600, 7500, 200_000].map(text.span), ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h 00 min", "2 h 05 min", "2 d"]);
});

test("the title counts who waits", () => {
  assert.deepEqual([text.titleWaiting(0), text.titleWaiting(3)], ["Desk", "(3) Desk"]);
});

test("only addresses that cannot run become links", () => {
  const base = "https://kit.example/desk";
  assert.equal(safeUrl("/help/a#b", base), "https://kit.example/help/a#b");
  assert.equal(safeUrl("mailto:a@b.example", base), "mailto:a@b.example");
  for (const bad of ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x", "http://[", null, 7]) {
    assert.equal(safeUrl(bad, base), null);
  }
});
