/** What a browser remembers. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ChatStore, MemoryStorage, openStorage } from "../../widget/chat/static/chat-store.js";

function store(lasting = new MemoryStorage(), kit = "https://kit.example/") {
  return new ChatStore({ lasting, passing: new MemoryStorage(), kit });
}

const item = (client_id, order) => ({ client_id, path: "messages", conversation: null, order, text: client_id });

test("what is remembered is there after a reload, per kit", () => {
  const lasting = new MemoryStorage();
  store(lasting).remember({ token: "t", conversation: "c", read: 4 });
  assert.deepEqual(store(lasting).memory, { token: "t", conversation: "c", continues: null, read: 4, closed: false });
  assert.equal(store(lasting, "https://other.example/").memory.token, null);
});

test("unsent messages come back in the order they were written", () => {
  const lasting = new MemoryStorage();
  const one = store(lasting);
  one.keep(item("second", 2));
  one.keep(item("first", 1));
  one.keep(item("third", 3));
  one.drop("second");
  assert.deepEqual(store(lasting).unsent().map(({ text }) => text), ["first", "third"]);
});

for (const spoilt of ["", "null", "{", "[]", "7", '{"token": 5, "read": "x", "closed": 1, "conversation": {}}']) {
  test(`a spoilt memory (${spoilt}) is an empty one`, () => {
    const lasting = new MemoryStorage();
    lasting.setItem("support-chat:https://kit.example/", spoilt);
    lasting.setItem("support-chat:https://kit.example/:unsent:x", spoilt);
    assert.deepEqual(store(lasting).memory, { token: null, conversation: null, continues: null, read: 0, closed: false });
    assert.deepEqual(store(lasting).unsent(), []);
  });
}

test("blocked, absent or full storage is replaced by memory", () => {
  const blocked = {
    get localStorage() {
      throw new DOMException("denied", "SecurityError");
    },
  };
  const full = new MemoryStorage();
  full.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  for (const place of [blocked, { localStorage: null }, { localStorage: full }]) {
    assert.ok(openStorage("localStorage", place) instanceof MemoryStorage);
    assert.notEqual(openStorage("localStorage", place), full);
  }
});

test("storage that fills up later does not stop the talk", () => {
  const lasting = new MemoryStorage();
  const one = store(lasting);
  lasting.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  one.remember({ token: "t" });
  one.keep(item("a", 1));
  assert.equal(one.memory.token, null);
});

test("draft and open panel belong to the tab", () => {
  const lasting = new MemoryStorage();
  const tab = store(lasting);
  tab.draft = "half a sent";
  tab.open = true;
  assert.deepEqual([tab.draft, tab.open, store(lasting).draft, store(lasting).open], ["half a sent", true, "", false]);
});
