/** What the widget knows, change by change. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { awaitsBot, clean, initialState, isHeldUp, isPending, liveChoices, reduce, roomLeft, unreadCount } from "../../widget/chat/static/chat-state.js";

const AT = "2026-11-21T19:00:00.000Z";

/** The state after these changes, from a conversation that has just begun. */
function after(...changes) {
  return [{ type: "started", conversation: "c", owner: "bot", continues: false }, ...changes].reduce(reduce, initialState());
}

function event(seq, type, data, conversation = "c") {
  return { type: "event", conversation, event: { seq, type, at: AT, data } };
}

const asks = (seq, client_id = `id${seq}`) => event(seq, "message", { author: "customer", text: "?", client_id });
const answers = (seq) => event(seq, "message", { author: "bot", text: "!", choices: [{ title: "Yes", payload: "/affirm" }] });
const agentSays = (seq) => event(seq, "message", { author: "agent", name: "Ada", text: "Hi" });
const owned = (seq, owner, more = {}) => event(seq, "owner", { owner, reason: "customer_asked", ...more });
const outgoing = (client_id, path = "messages", more = {}) => ({ type: "outgoing", item: { client_id, path, conversation: "c", order: 1, text: "?", ...more } });

test("an event that came before, or belongs to another conversation, changes nothing", () => {
  const state = after(asks(1), answers(2));
  assert.equal(reduce(state, answers(2)), state);
  assert.equal(reduce(state, asks(1)), state);
  assert.equal(reduce(state, event(3, "message", { author: "bot", text: "not yours" }, "other")), state);
});

test("a state is never altered in place", () => {
  const frozen = Object.freeze(after(asks(1)));
  Object.freeze(frozen.entries);
  Object.freeze(frozen.outbox);
  assert.equal(reduce(frozen, answers(2)).entries.length, 2);
  assert.equal(frozen.entries.length, 1);
});

test("a message that is taken waits for the bot, until its answer or a person comes", () => {
  const taken = { type: "acknowledged", client_id: "id1", seq: 1 };
  assert.ok(awaitsBot(after(outgoing("id1")), taken));
  assert.ok(awaitsBot(after(outgoing("id1"), asks(1)), taken));
  assert.ok(!awaitsBot(after(outgoing("id1"), asks(1), answers(2)), taken));
  assert.ok(!awaitsBot(after(outgoing("id1"), owned(1, "agent")), { ...taken, seq: 2 }));
  assert.ok(!awaitsBot(after(outgoing("id1", "survey")), taken));
  assert.ok(!awaitsBot(after(outgoing("id1")), { type: "unsent", client_id: "id1" }));
});

test("an unknown type of event is passed over, and counted", () => {
  const state = after(event(1, "confetti", {}));
  assert.deepEqual([state.last, state.entries.length], [1, 0]);
});

test("a message stays in the outbox until its event comes, whichever of event and acknowledgement is first", () => {
  const acknowledged = { type: "acknowledged", client_id: "id1", seq: 1 };
  assert.equal(after(outgoing("id1"), acknowledged).outbox[0].status, "sent");
  assert.equal(after(outgoing("id1"), acknowledged, asks(1)).outbox.length, 0);
  assert.equal(after(outgoing("id1"), asks(1), acknowledged).outbox.length, 0);
});

test("a message drawn while it was on its way keeps its key when it has arrived", () => {
  assert.equal(after(outgoing("id1"), asks(1)).entries[0].key, "own:id1");
});

test("choices can be pressed on the newest message of the bot only, and once", () => {
  assert.equal(liveChoices(after(answers(1))), "c:1");
  assert.equal(liveChoices(after(answers(1), answers(2))), "c:2");
  assert.equal(liveChoices(after(answers(1), outgoing("x"))), null);
  assert.equal(liveChoices(after(answers(1), asks(2))), null);
  assert.equal(liveChoices(after(answers(1), asks(2), answers(3))), "c:3");
});

test("a refused message gives the choices back", () => {
  assert.equal(liveChoices(after(answers(1), outgoing("x"), { type: "refused", client_id: "x", code: "invalid" })), "c:1");
});

test("no choice can be pressed once a person is there or all is over; in the queue it can", () => {
  assert.equal(liveChoices(after(answers(1), owned(2, "queued"), asks(3))), "c:1");
  assert.equal(liveChoices(after(answers(1), owned(2, "agent"))), null);
  assert.equal(liveChoices(after(answers(1), owned(2, "closed"))), null);
});

test("choices of an earlier conversation are dead in the next", () => {
  const next = { type: "started", conversation: "d", owner: "bot", continues: true };
  assert.equal(liveChoices(after(answers(1), next)), null);
});

test("who holds the conversation, and the queue, follow the events", () => {
  const queue = { position: 2, wait_low_s: 60, wait_high_s: 240 };
  const waiting = after(owned(1, "queued"), { type: "queue", queue });
  assert.deepEqual([waiting.owner, waiting.queue], ["queued", queue]);
  const held = reduce(waiting, owned(2, "agent", { agent: { name: "Ada" } }));
  assert.deepEqual([held.owner, held.agent, held.queue], ["agent", "Ada", null]);
  assert.deepEqual([reduce(held, owned(3, "bot")).agent], [null]);
});

test("old events do not turn back who holds the conversation now", () => {
  const snapshot = { id: "c", owner: "agent", agent: { name: "Ada" }, queue: null, last: 3 };
  const state = [{ type: "snapshot", snapshot, read: 0 }, owned(1, "queued"), owned(2, "bot"), owned(3, "agent")].reduce(reduce, initialState());
  assert.deepEqual([state.owner, state.agent, state.entries.length], ["agent", "Ada", 3]);
  assert.equal(reduce(state, owned(4, "closed")).owner, "closed");
});

test("an owner that is not known leaves things as they are", () => {
  assert.equal(after(owned(1, "queued"), owned(2, "somebody")).owner, "queued");
});

test("a sign of typing goes with that author's message, not with another's", () => {
  const typing = [{ type: "typing", author: "bot", name: null }, { type: "typing", author: "agent", name: "Ada" }];
  assert.deepEqual(after(...typing, agentSays(1)).typing.map(({ author }) => author), ["bot"]);
  assert.deepEqual(after(...typing, { type: "typing_over", author: "bot" }).typing.map(({ author }) => author), ["agent"]);
  assert.equal(after(typing[0], typing[0]).typing.length, 1);
});

test("unread counts what others wrote while the panel was closed", () => {
  assert.equal(unreadCount(after(asks(1), answers(2), agentSays(3), owned(4, "queued"))), 2);
  assert.equal(unreadCount(after(answers(1), agentSays(2), { type: "read", read: 1 })), 1);
  assert.equal(unreadCount(after(answers(1), { type: "panel", open: true })), 0);
});

test("what has been read is never unread again", () => {
  assert.equal(after(answers(1), { type: "read", read: 5 }, { type: "read", read: 2 }).read, 5);
});

test("the survey is asked, sent and answered", () => {
  const asked = after(event(1, "survey", { state: "asked", question: "csat" }));
  assert.deepEqual(asked.survey, { score: null, comment: null, answered: false });
  const sent = reduce(asked, outgoing("s", "survey", { score: 4 }));
  assert.equal(isPending(sent, "survey"), true);
  const done = reduce(sent, { type: "acknowledged", client_id: "s", seq: null });
  assert.deepEqual([done.survey, done.outbox], [{ score: 4, comment: null, answered: true }, []]);
});

test("a rating that arrives after a new conversation began does not answer the new one's survey", () => {
  const state = after(outgoing("s", "survey", { score: 4 }), { type: "fresh" }, { type: "acknowledged", client_id: "s", seq: null });
  assert.equal(state.survey, null);
});

test("a refused request says so until the next is made; a refused message keeps its words", () => {
  const refused = after(outgoing("h", "handoff"), { type: "refused", client_id: "h", code: "invalid" });
  assert.deepEqual([refused.trouble, refused.outbox.length], [true, 0]);
  assert.equal(reduce(refused, outgoing("h2", "handoff")).trouble, false);
  const message = after(outgoing("m"), { type: "refused", client_id: "m", code: "invalid" });
  assert.deepEqual([message.trouble, message.outbox[0].item.text], [false, "?"]);
});

test("a request held up shows in the line at the top, a message held up at the message itself", () => {
  assert.equal(isHeldUp(after(outgoing("h", "handoff"), { type: "unsent", client_id: "h" })), true);
  assert.equal(isHeldUp(after(outgoing("m"), { type: "unsent", client_id: "m" })), false);
});

test("a conversation that expired keeps what can be read and dies otherwise", () => {
  const state = after(answers(1), owned(2, "queued"), { type: "expired" });
  assert.deepEqual([state.entries.length, state.conversation, state.owner, liveChoices(state)], [3, null, "bot", null]);
});

test("a message is cleaned of what no text may hold, and nothing else", () => {
  assert.equal(clean("  a\0b\n c \n"), "ab\n c");
  assert.equal(clean("half \ud83c of a pair"), "half \ufffd of a pair");
  assert.equal(clean("whole 🏠"), "whole 🏠");
});

test("room is counted in characters, not in halves of them", () => {
  assert.equal(roomLeft("🏠".repeat(8000)), 0);
  assert.equal(roomLeft(`  ${"x".repeat(8001)}  `), -1);
});
