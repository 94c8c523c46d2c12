/** Tabs of one browser taking turns. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ChatTabs } from "../../widget/chat/static/chat-tabs.js";
import { FakeLocks } from "./talk.mjs";

/** Work that lasts until its signal aborts. */
function lasting(log, name) {
  return (signal) =>
    new Promise((resolve) => {
      log.push(`${name} reads`);
      signal.addEventListener("abort", () => resolve(log.push(`${name} ends`)));
    });
}

function tab(locks) {
  return new ChatTabs({ name: "kit", locks, Channel: FakeChannel });
}

/** Nobody listens here. */
class FakeChannel {
  addEventListener() {}
  removeEventListener() {}
  postMessage() {}
  close() {}
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

test("one tab reads, the next follows when it goes", async () => {
  const [locks, log] = [new FakeLocks(), []];
  const [first, second] = [new AbortController(), new AbortController()];
  const one = tab(locks).lead("c", first.signal, lasting(log, "one"));
  const two = tab(locks).lead("c", second.signal, lasting(log, "two"));
  await tick();
  assert.deepEqual(log, ["one reads"]);
  first.abort();
  await one;
  await tick();
  assert.deepEqual(log, ["one reads", "one ends", "two reads"]);
  second.abort();
  await two;
});

test("different conversations are read side by side", async () => {
  const [locks, log, stop] = [new FakeLocks(), [], new AbortController()];
  const both = ["c", "d"].map((conversation) => tab(locks).lead(conversation, stop.signal, lasting(log, conversation)));
  await tick();
  assert.deepEqual(log, ["c reads", "d reads"]);
  stop.abort();
  await Promise.all(both);
});

test("a tab can take over; the other one ends its reading", async () => {
  const [locks, log, stop] = [new FakeLocks(), [], new AbortController()];
  const one = tab(locks).lead("c", stop.signal, lasting(log, "one"));
  await tick();
  const two = tab(locks).lead("c", stop.signal, lasting(log, "two"), { steal: true });
  await one;
  assert.deepEqual(log.sort(), ["one ends", "one reads", "two reads"]);
  stop.abort();
  await two;
});

for (const [why, locks, Channel] of [
  ["locks are missing", undefined, FakeChannel],
  ["channels are missing", new FakeLocks(), undefined],
]) {
  test(`every tab reads for itself where ${why}`, async () => {
    const [log, stop] = [[], new AbortController()];
    const both = ["one", "two"].map((name) => new ChatTabs({ name: "kit", locks, Channel }).lead("c", stop.signal, lasting(log, name)));
    assert.deepEqual(log, ["one reads", "two reads"]);
    stop.abort();
    await Promise.all(both);
  });
}

test("a tab is on its own where the browser denies locks or channels", async () => {
  const denied = { request: () => Promise.reject(new DOMException("denied", "SecurityError")) };
  const [log, stop] = [[], new AbortController()];
  const alone = new ChatTabs({ name: "kit", locks: denied, Channel: FakeChannel });
  const reading = alone.lead("c", stop.signal, lasting(log, "one"));
  await tick();
  assert.deepEqual(log, ["one reads"]);
  assert.equal(alone.sharing, false);
  assert.equal(await new ChatTabs({ name: "kit", locks: denied, Channel: FakeChannel }).alone("begin", stop.signal, async () => 7), 7);
  stop.abort();
  await reading;
});

test("an error of the work itself comes out", async () => {
  await assert.rejects(
    tab(new FakeLocks()).lead("c", new AbortController().signal, async () => {
      throw new RangeError("ours");
    }),
    RangeError,
  );
});
