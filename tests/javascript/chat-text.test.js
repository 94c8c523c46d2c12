/** The words. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ownerLine, queueLine, textFor } from "../../widget/chat/static/chat-text.js";

const text = textFor("en-GB");

for (const [queue, words] of [
  [{ position: 2, wait_low_s: 60, wait_high_s: 240 }, "Waiting for a person, number 2, about 1 to 4 minutes"],
  [{ position: 2, wait_low_s: 61, wait_high_s: 235 }, "Waiting for a person, number 2, about 1 to 4 minutes"],
  [{ position: 3, wait_low_s: 120, wait_high_s: 120 }, "Waiting for a person, number 3, about 2 minutes"],
  [{ position: 1, wait_low_s: 5, wait_high_s: 40 }, "Waiting for a person, you are next, about a minute"],
  [{ position: 1, wait_low_s: 0, wait_high_s: 200 }, "Waiting for a person, you are next, up to 4 minutes"],
  [{ position: 4, wait_low_s: null, wait_high_s: null }, "Waiting for a person, number 4"],
  [null, "Waiting for a person"],
]) {
  test(`the queue: ${words}`, () => assert.equal(queueLine(text, queue), words));
}

test("a name cannot turn the sentence around it", () => {
  assert.equal(ownerLine(text, { owner: "agent", reason: "agent_accepted", agent: { name: "אדה" } }), "\u2068אדה\u2069 joined the conversation.");
});

test("every reason that the plan names has words, and an unknown one too", () => {
  const reasons = {
    queued: ["customer_asked", "not_sure_twice", "not_solved", "sensitive_topic", "error", "transferred", "agent_gone", "agent_away", "something_new"],
    agent: ["agent_accepted", "agent_wrote_first"],
    bot: ["customer_cancelled", "solved_meanwhile", "returned_to_bot"],
    closed: ["closed_by_agent", "closed_by_customer", "silence"],
  };
  for (const [owner, known] of Object.entries(reasons)) for (const reason of known) assert.notEqual(ownerLine(text, { owner, reason }), "");
});

test("a language without words of its own is answered in English", () => {
  assert.equal(textFor("xx-YY").send, "Send");
});
