/**
 * The queue of what the customer sent and the kit has not acknowledged yet.
 *
 * One at a time, in order, with the same `client_id` until the kit says yes or a final no: repeating is safe, so nothing is lost
 * and nothing doubled. What waits is kept in the store and taken up again after a reload.
 */

import { ChatError } from "./chat-client.js";
import { backOff, pause } from "./back-off.js";

/** @typedef {import("./chat-store.js").Unsent} Unsent */
/** @typedef {import("./chat-state.js").Change} Change */

export class Outbox {
  /** @type {Unsent[]} */
  #waiting = [];
  #running = false;
  #wake = () => {};
  #deliver;
  #store;
  #report;
  #signal;
  #times;

  /**
   * @param {{deliver: (item: Unsent) => Promise<{seq?: number} | null>, store: import("./chat-store.js").ChatStore,
   *   report: (change: Change) => void, signal: AbortSignal, times?: {first_ms?: number, most_ms?: number}}} parts
   */
  constructor({ deliver, store, report, signal, times }) {
    this.#deliver = deliver;
    this.#store = store;
    this.#report = report;
    this.#signal = signal;
    this.#times = times;
  }

  /** Takes up what an earlier page left. */
  restore() {
    for (const item of this.#store.unsent()) this.#take(item);
  }

  /** @param {Unsent} item */
  add(item) {
    this.#store.keep(item);
    this.#take(item);
  }

  /** Tries at once what waits for its next try. */
  hurry() {
    this.#wake();
  }

  /** Gives up one message. @param {string} client_id */
  remove(client_id) {
    this.#waiting = this.#waiting.filter((item) => item.client_id !== client_id);
    this.#store.drop(client_id);
    this.#report({ type: "discarded", client_id });
  }

  /** @param {Unsent} item */
  #take(item) {
    if (this.#waiting.some((other) => other.client_id === item.client_id)) return;
    this.#waiting.push(item);
    this.#report({ type: "outgoing", item });
    if (!this.#running) this.#run();
  }

  async #run() {
    this.#running = true;
    let failures = 0;
    while (this.#waiting.length > 0 && !this.#signal.aborted) {
      const item = this.#waiting[0];
      const wait_ms = await this.#attempt(item, failures + 1);
      failures = wait_ms === null ? 0 : failures + 1;
      if (wait_ms !== null) await pause(wait_ms, this.#signal, (wake) => (this.#wake = wake));
    }
    this.#running = false;
  }

  /** Tries one once. @param {Unsent} item @param {number} tries @returns {Promise<number | null>} wait before the next try; null when it is settled */
  async #attempt(item, tries) {
    try {
      const answer = await this.#deliver(item);
      this.#settle(item, { type: "acknowledged", client_id: item.client_id, seq: answer?.seq ?? null });
      return null;
    } catch (error) {
      if (this.#signal.aborted) return null;
      if (!(error instanceof ChatError)) throw error;
      if (error.passing) return this.#later(item, error, tries);
      this.#settle(item, { type: "refused", client_id: item.client_id, code: error.code });
      return null;
    }
  }

  /** @param {Unsent} item @param {ChatError} error @param {number} tries */
  #later(item, error, tries) {
    this.#report({ type: "unsent", client_id: item.client_id, code: error.code });
    return Math.max(backOff(tries, this.#times), (error.retry_after_s ?? 0) * 1000);
  }

  /** @param {Unsent} item @param {Change} change */
  #settle(item, change) {
    this.#waiting = this.#waiting.filter((other) => other !== item);
    this.#store.drop(item.client_id);
    this.#report(change);
  }
}
