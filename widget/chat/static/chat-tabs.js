/**
 * The tabs of one browser: one of them reads the stream, the others hear from it.
 *
 * Who reads is settled by a Web Lock that is held while reading: when that tab goes, the next one in line gets it. What it reads goes
 * over a BroadcastChannel. Where locks are missing (pages over plain http) every tab reads for itself.
 *
 * @typedef {{kind: "frame", conversation: string, frame: import("./event-stream.js").Frame}
 *   | {kind: "link", conversation: string, link: import("./chat-state.js").Link}
 *   | {kind: "hello", conversation: string}
 *   | {kind: "read", conversation: string, read: number}
 *   | {kind: "moved"}} TabMessage
 */

export class ChatTabs {
  #name;
  #locks;
  #channel;
  /** Whether this tab reads the stream. */
  leading = false;

  /** @param {{name: string, locks?: LockManager, Channel?: typeof BroadcastChannel}} parts */
  constructor({ name, locks, Channel }) {
    this.#name = name;
    // Without a channel the others would hear nothing, so the lock alone is of no use.
    this.#channel = open(name, Channel);
    this.#locks = this.#channel ? locks : undefined;
  }

  /** Whether tabs share a stream at all. */
  get sharing() {
    return this.#locks !== undefined;
  }

  /** @param {(message: TabMessage) => void} listener @param {AbortSignal} signal */
  listen(listener, signal) {
    const hear = (/** @type {MessageEvent} */ { data }) => listener(data);
    this.#channel?.addEventListener("message", hear);
    signal.addEventListener("abort", () => this.#channel?.removeEventListener("message", hear), { once: true });
  }

  /** @param {TabMessage} message */
  tell(message) {
    this.#channel?.postMessage(message);
  }

  close() {
    this.#channel?.close();
  }

  /**
   * Waits until it is this tab's turn to read that conversation, then does `work`, whose signal aborts when another tab takes over.
   * @param {string} conversation @param {AbortSignal} signal @param {(signal: AbortSignal) => Promise<void>} work
   * @param {{steal?: boolean}} [how] `steal`: take over at once from a tab that has gone silent
   */
  async lead(conversation, signal, work, { steal = false } = {}) {
    if (!this.#locks) return work(signal);
    const turn = new AbortController();
    const end = () => turn.abort();
    signal.addEventListener("abort", end, { once: true });
    const options = steal ? { steal } : { signal };
    try {
      await this.#locks.request(`${this.#name}:${conversation}`, options, () => this.#work(work, turn.signal));
    } catch (error) {
      if (this.#denied(error)) return work(signal);
      // Aborted by us, or the lock was taken over by another tab: both are an end like any other.
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    } finally {
      turn.abort();
      signal.removeEventListener("abort", end);
    }
  }

  /** Makes one thing happen in one tab at a time. @template T @param {string} what @param {AbortSignal} signal @param {() => Promise<T>} work @returns {Promise<T>} */
  async alone(what, signal, work) {
    if (!this.#locks) return work();
    try {
      return await this.#locks.request(`${this.#name}:${what}`, { signal }, work);
    } catch (error) {
      if (this.#denied(error)) return work();
      throw error;
    }
  }

  /** Whether the browser denies locks here, as it does with storage blocked; from then on this tab is on its own. @param {unknown} error */
  #denied(error) {
    const denied = error instanceof DOMException && error.name === "SecurityError";
    if (denied) this.#locks = undefined;
    return denied;
  }

  /** @param {(signal: AbortSignal) => Promise<void>} work @param {AbortSignal} signal */
  async #work(work, signal) {
    this.leading = true;
    try {
      await work(signal);
    } finally {
      this.leading = false;
    }
  }
}

/** @param {string} name @param {typeof BroadcastChannel | undefined} Channel @returns {BroadcastChannel | undefined} */
function open(name, Channel) {
  try {
    return Channel ? new Channel(name) : undefined;
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}
