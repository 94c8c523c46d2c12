/** The desk's state as events change it. Pure: no page, no network. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { colleagues, initialState, latestFirst, mine, reduce, standing, timeline, waiting, wantedLists, writing } from "../../widget/desk/static/desk-state.js";

const ADA = { id: "s1", name: "Ada" };
const GRACE = { id: "s2", name: "Grace" };

function conversation(id, more = {}) {
  return {
    id, owner: "queued", reason: "customer_asked", agent: null, created_at: "2026-11-21T09:00:00Z", queued_at: "2026-11-21T09:01:00Z",
    updated_at: "2026-11-21T09:02:00Z", page: null, locale: "en", last: 3, last_message: null, ...more,
  };
}

function after(...actions) {
  return actions.reduce(reduce, initialState);
}

const signedIn = { type: "signed_in", staff: ADA };

function opened(own, { transcript = [], notes = [] } = {}) {
  return [
    { type: "conversation_opened", id: own.id },
    { type: "detail_came", detail: { conversation: own, reason: own.reason, shown_articles: [], transcript, notes } },
  ];
}

function message(seq, at, data = {}) {
  return { seq, type: "message", at, data: { author: "customer", text: "hello", ...data } };
}

test("an action nobody knows is a mistake, not a silence", () => {
  assert.throws(() => reduce(initialState, { type: "nonsense" }), /nonsense/);
});

test("no action touches the state it was given", () => {
  const frozen = Object.freeze({ ...initialState, outbox: Object.freeze([]), typing: Object.freeze({}), lists: Object.freeze({ ...initialState.lists }) });
  reduce(frozen, { type: "message_written", item: { clientId: "a" } });
  reduce(frozen, { type: "list_came", owner: "queued", conversations: [] });
  reduce(frozen, { type: "customer_typed", id: "c", until: 5 });
  assert.deepEqual(frozen.outbox, []);
});

test("who waits longest stands first", () => {
  const [early, late] = [conversation("early", { queued_at: "2026-11-21T08:00:00Z" }), conversation("late", { queued_at: "2026-11-21T10:00:00Z" })];
  const state = after({ type: "list_came", owner: "queued", conversations: [late, early] });
  assert.deepEqual(waiting(state).map(({ id }) => id), ["early", "late"]);
});

test("mine are those I hold, and who needs my reply stands first", () => {
  const held = (id, agent, author) => conversation(id, { owner: "agent", agent, updated_at: `2026-11-21T09:0${id}:00Z`, last_message: { author, text: "", at: "" } });
  const list = [held("1", ADA, "agent"), held("2", ADA, "customer"), held("3", GRACE, "customer"), held("4", ADA, "agent")];
  const state = after(signedIn, { type: "list_came", owner: "agent", conversations: list });
  assert.deepEqual(mine(state).map(({ id }) => id), ["2", "4", "1"]);
  assert.deepEqual(colleagues(state).map(({ id }) => id), ["3"]);
  assert.deepEqual(latestFirst(list).map(({ id }) => id), ["4", "3", "2", "1"]);
});

test("the lists that count are always fetched, the others when they are looked at", () => {
  assert.deepEqual(wantedLists(after()), ["queued", "agent"]);
  assert.deepEqual(wantedLists(after({ type: "view_chosen", view: "colleagues" })), ["queued", "agent"]);
  assert.deepEqual(wantedLists(after({ type: "view_chosen", view: "closed" })), ["queued", "agent", "closed"]);
});

test("what may be done follows from who holds the conversation", () => {
  const as = (more) => standing(after(signedIn, ...opened(conversation("c", more))));
  assert.equal(standing(after(signedIn)), "none");
  assert.equal(as({ owner: "queued" }), "take");
  assert.equal(as({ owner: "bot" }), "take");
  assert.equal(as({ owner: "agent", agent: ADA }), "reply");
  assert.equal(as({ owner: "agent", agent: GRACE }), "held");
  assert.equal(as({ owner: "closed" }), "closed");
});

test("where a reply would not arrive only a note can be written", () => {
  const held = after(signedIn, ...opened(conversation("c", { owner: "agent", agent: GRACE })));
  assert.equal(writing(held), "note");
  assert.equal(writing(reduce(held, { type: "detail_came", detail: { ...held.open, conversation: conversation("c") } })), "reply");
});

test("the transcript of a conversation left meanwhile is not shown for another", () => {
  const state = after(signedIn, { type: "conversation_opened", id: "b" }, opened(conversation("a"))[1]);
  assert.equal(state.open, null);
});

test("notes stand between the events by time, what is unsent at the end", () => {
  const transcript = [message(1, "2026-11-21T09:00:00Z"), message(2, "2026-11-21T09:10:00Z")];
  const notes = [{ id: "z", author: ADA, text: "later", at: "2026-11-21T09:11:00Z" }, { id: "y", author: ADA, text: "between", at: "2026-11-21T09:05:00Z" }];
  const item = { conversationId: "c", clientId: "m", text: "hi", at: "2026-11-21T08:00:00Z", state: "sending" };
  const elsewhere = { ...item, conversationId: "other", clientId: "n" };
  const state = after(
    signedIn, ...opened(conversation("c"), { transcript, notes }), { type: "message_written", item }, { type: "message_written", item: elsewhere },
  );
  assert.deepEqual(timeline(state).map(({ key }) => key), ["e1", "ny", "e2", "nz", "om"]);
});

test("events keep the order of their numbers even where the clock went back", () => {
  const transcript = [message(1, "2026-11-21T09:10:00Z"), message(2, "2026-11-21T09:00:00Z")];
  const state = after(signedIn, ...opened(conversation("c"), { transcript, notes: [{ id: "x", author: ADA, text: "", at: "2026-11-21T09:05:00Z" }] }));
  assert.deepEqual(timeline(state).map(({ key }) => key), ["nx", "e1", "e2"]);
});

test("a sent message stays until its event is there, and is never shown twice", () => {
  const item = { conversationId: "c", clientId: "m", text: "hi", at: "2026-11-21T09:00:00Z", state: "sending" };
  const open = (transcript) => opened(conversation("c"), { transcript })[1];
  const sent = after(signedIn, ...opened(conversation("c")), { type: "message_written", item }, { type: "message_changed", clientId: "m", state: "sent", seq: 2 });
  const before = reduce(sent, open([message(1, "2026-11-21T09:00:00Z")]));
  assert.equal(before.outbox.length, 1);
  const there = reduce(before, open([message(1, "2026-11-21T09:00:00Z"), message(2, "2026-11-21T09:01:00Z", { author: "agent" })]));
  assert.deepEqual(there.outbox, []);
});

test("a message whose answer was lost is recognised in the transcript by its client_id", () => {
  const item = { conversationId: "c", clientId: "m", text: "hi", at: "2026-11-21T09:00:00Z", state: "retrying" };
  const transcript = [message(1, "2026-11-21T09:01:00Z", { author: "agent", client_id: "m" })];
  const state = after(signedIn, { type: "message_written", item }, ...opened(conversation("c"), { transcript }));
  assert.deepEqual(state.outbox, []);
});

test("when the session ends everything stays where it was, and what is unsent waits", () => {
  const item = { conversationId: "c", clientId: "m", text: "hi", at: "", state: "sending" };
  const state = after(signedIn, ...opened(conversation("c")), { type: "message_written", item }, { type: "dialog_opened", kind: "close" }, { type: "session_expired" });
  assert.equal(state.phase, "signed_out");
  assert.equal(state.expired, true);
  assert.equal(state.openId, "c");
  assert.equal(state.dialog, null);
  assert.equal(state.outbox[0].state, "paused");
});

test("signing out leaves nothing behind", () => {
  const state = after(signedIn, ...opened(conversation("c")), { type: "signed_out" });
  assert.equal(state.open, null);
  assert.equal(state.staff, null);
  assert.equal(state.expired, false);
});

test("a message ends the typing of its customer only, and no typing begins by it", () => {
  const state = after({ type: "customer_typed", id: "c", until: 6000 }, { type: "customer_typed", id: "d", until: 6000 }, { type: "customer_stopped", id: "c" });
  assert.deepEqual(state.typing, { d: 6000 });
  assert.equal(reduce(state, { type: "customer_stopped", id: "c" }), state);
});

test("typing stands until its time has passed", () => {
  const state = after({ type: "customer_typed", id: "c", until: 6000 });
  assert.equal(reduce(state, { type: "time_passed", now: 5999 }), state);
  assert.deepEqual(reduce(state, { type: "time_passed", now: 6000 }).typing, {});
});
