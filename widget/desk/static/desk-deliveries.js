/**
 * Sends the agent's messages: in order within a conversation, each with its own `client_id`, again and again until the kit has it.
 * What the kit refuses goes back into the draft, with a notice.
 */

import { pause, pauseMs } from "./desk-pace.js";

const refusals = { already_taken: "already_taken_words", conversation_closed: "conversation_closed", too_large: "too_large" };

export class Deliveries {
  /** @param {import("./desk-app.js").DeskApp} app @param {number} firstPauseMs */
  constructor(app, firstPauseMs) {
    this.app = app;
    this.firstPauseMs = firstPauseMs;
    /** Conversations whose messages are on their way. @type {Set<string>} */
    this.under = new Set();
  }

  /** @param {string} conversationId @param {string} words */
  add(conversationId, words) {
    const at = new Date(this.app.serverNow()).toISOString();
    const item = { conversationId, clientId: crypto.randomUUID(), text: words, at, state: "sending" };
    this.app.dispatch({ type: "message_written", item });
    this.#deliver(conversationId);
  }

  /** Go on with everything that is not sent: after a reload, or signed in again. */
  resume() {
    for (const id of new Set(this.app.state.outbox.map((item) => item.conversationId))) this.#deliver(id);
  }

  async #deliver(conversationId) {
    if (this.under.has(conversationId)) return;
    this.under.add(conversationId);
    let failures = 0;
    for (let item = this.#next(conversationId); item && this.app.signedIn; item = this.#next(conversationId)) {
      const problem = await this.#send(item);
      failures = problem ? failures + 1 : 0;
      if (problem) await pause(Math.max(problem.retryAfterS * 1000, pauseMs(failures, this.firstPauseMs)), this.app.link.nap.signal);
    }
    this.under.delete(conversationId);
    if (this.app.signedIn && this.#next(conversationId)) this.#deliver(conversationId);
  }

  #next(conversationId) {
    return this.app.state.outbox.find((item) => item.conversationId === conversationId && item.state !== "sent");
  }

  /** @returns {Promise<import("./desk-client.js").DeskError|null>} the problem, where it is worth trying again */
  async #send({ conversationId, clientId, text }) {
    try {
      const { seq } = await this.app.client.send(conversationId, clientId, text);
      this.app.dispatch({ type: "message_changed", clientId, state: "sent", seq });
      if (this.app.state.openId === conversationId) this.app.refreshOpen();
      return null;
    } catch (problem) {
      if (problem.status === 401) {
        this.app.failed(problem);
        return null;
      }
      if (!problem.passing) return this.#takeBack(problem, conversationId, clientId, text);
      this.app.dispatch({ type: "message_changed", clientId, state: "retrying" });
      return problem;
    }
  }

  #takeBack(problem, conversationId, clientId, words) {
    if (typeof problem.status !== "number") throw problem;
    this.app.drafts.giveBack(conversationId, "reply", words);
    this.app.dispatch({ type: "draft_returned" });
    this.app.dispatch({ type: "message_dropped", clientId });
    this.app.dispatch({ type: "noticed", name: refusals[problem.code] ?? "not_sent", params: problem.detail?.agent ?? {}, bad: true });
    if (this.app.state.openId === conversationId) this.app.refreshOpen();
    return null;
  }
}
