/**
 * Follows the events of one conversation, from wherever this browser can hear them: the kit's stream, or the tab that reads it.
 *
 * Events are passed on once each and in order: what was missed is always "everything after number N", fetched as soon as a gap shows.
 */

import { backOff, pause } from "./back-off.js";
import { ChatError } from "./chat-client.js";

/** @typedef {import("./chat-client.js").ChatEvent} ChatEvent */
/** @typedef {import("./event-stream.js").Frame} Frame */
/** @typedef {import("./chat-tabs.js").TabMessage} TabMessage */
/** @typedef {import("./chat-state.js").Link} Link */

/** All in milliseconds. */
export const TIMES = Object.freeze({
  first_ms: 400,
  most_ms: 5000,
  /** A sign of typing holds this long, unless that author's message comes first. */
  typing_ms: 6000,
  /** The customer's own typing is told at most this often. */
  tell_typing_ms: 3000,
  /** A page that wakes up trusts a stream that gave a sign of life within this time: the kit sends one every 15 s. */
  stale_ms: 20_000,
  /** A tab in sight that heard nothing this long from the tab that reads takes the stream over. */
  silent_ms: 45_000,
});

export class Following {
  conversation;
  #client;
  #store;
  #tabs;
  #report;
  #gone;
  #times;
  #stop = new AbortController();
  #attempt = new AbortController();
  #last = 0;
  #heard_at = Date.now();
  /** @type {Link} */
  #link = "idle";
  /** @type {Frame | null} the newest news of the queue, for tabs that come later */
  #queue = null;
  #wake = () => {};
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #typing = new Map();

  /**
   * @param {string} conversation
   * @param {{client: import("./chat-client.js").ChatClient, store: import("./chat-store.js").ChatStore, tabs: import("./chat-tabs.js").ChatTabs,
   *   report: (change: import("./chat-state.js").Change) => void, gone: (token: string | null, error: ChatError) => void, times: typeof TIMES}} parts
   *   `gone`: the kit does not know this token or conversation any more
   */
  constructor(conversation, { client, store, tabs, report, gone, times }) {
    this.conversation = conversation;
    this.#client = client;
    this.#store = store;
    this.#tabs = tabs;
    this.#report = report;
    this.#gone = gone;
    this.#times = times;
  }

  /** Follows until stopped. @param {{begun: boolean}} how `begun`: the conversation has just been made, so there is nothing to fetch */
  async run({ begun }) {
    const { signal } = this.#stop;
    const watch = setInterval(() => this.#watch(), this.#times.silent_ms / 3);
    try {
      if (!begun) await this.#insist(signal, false, () => this.#refresh());
      while (!signal.aborted) await this.#tabs.lead(this.conversation, signal, (turn) => this.#read(turn));
    } finally {
      clearInterval(watch);
    }
  }

  stop() {
    this.#stop.abort();
    for (const timer of this.#typing.values()) clearTimeout(timer);
  }

  /** Tries again at once if it is waiting to. */
  hurry() {
    this.#wake();
  }

  /** The page came back into sight or the network came back: is what we hear still whole? */
  wakeUp() {
    this.hurry();
    const own = this.#tabs.leading || !this.#tabs.sharing;
    if (!own) this.#catchUp().catch(expected);
    else if (Date.now() - this.#heard_at > this.#times.stale_ms) this.#attempt.abort();
    else if (this.#heard_at > 0) this.#setLink("live");
  }

  /** The browser says there is no network. */
  offline() {
    this.#setLink("lost");
  }

  /** Another tab says something about this conversation. @param {TabMessage} message */
  hear(message) {
    if (message.kind === "read") this.#report({ type: "read", read: message.read });
    else if (message.kind === "hello") this.#greet();
    else if (this.#tabs.leading || !this.#tabs.sharing) return;
    else if (message.kind === "frame") this.#hearFrame(message.frame);
    else if (message.kind === "link") this.#setLink(message.link);
  }

  /** Reads the stream until `signal` aborts, coming back after every break with all that was missed. @param {AbortSignal} signal */
  #read(signal) {
    return this.#insist(signal, true, async (alive) => {
      const attempt = new AbortController();
      const end = () => attempt.abort();
      this.#attempt = attempt;
      signal.addEventListener("abort", end, { once: true });
      try {
        for await (const frame of this.#client.stream(this.#store.memory.token, this.conversation, this.#last, attempt.signal)) {
          if (signal.aborted) return;
          this.#setLink("live");
          if (frame.event === "reconnect") return;
          if (frame.event !== "open") alive();
          this.#take(frame);
          this.#tabs.tell({ kind: "frame", conversation: this.conversation, frame });
        }
      } finally {
        signal.removeEventListener("abort", end);
      }
    });
  }

  /**
   * Does `work` again and again with growing pauses: until it succeeds once, or (`forever`) until `signal` aborts.
   * @param {AbortSignal} signal @param {boolean} forever
   * @param {(alive: () => void) => Promise<void>} work calls `alive` when it got somewhere
   */
  async #insist(signal, forever, work) {
    let failures = 0;
    while (!signal.aborted) {
      let asked_ms = 0;
      const { token } = this.#store.memory;
      try {
        await work(() => (failures = 0));
        if (!forever) return;
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
        if (signal.aborted) return;
        if (error.gone) return this.#gone(token, error);
        asked_ms = (error.retry_after_s ?? 0) * 1000;
      }
      if (signal.aborted) return;
      failures += 1;
      // One break is mended before anybody would have read the line about it.
      this.#setLink(failures > 1 ? "lost" : "connecting");
      await pause(Math.max(backOff(failures, this.#times), asked_ms), signal, (wake) => (this.#wake = wake));
    }
  }

  /** Fetches who holds the conversation, and all of it. */
  async #refresh() {
    const { token, read } = this.#store.memory;
    const found = await this.#client.conversation(token, this.conversation, this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    this.#report({ type: "snapshot", snapshot: found, read });
    this.#store.remember({ closed: found.owner === "closed" });
    await this.#catchUp();
    this.#setLink("live");
    this.#tabs.tell({ kind: "hello", conversation: this.conversation });
  }

  /** Fetches what came after the newest event known. */
  async #catchUp() {
    for (;;) {
      const page = await this.#client.events(this.#store.memory.token, this.conversation, this.#last, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      for (const event of page.events) this.#apply(event);
      if (page.events.length === 0 || this.#last >= page.last) return;
    }
  }

  /** @param {Frame} frame */
  #take(frame) {
    this.#heard_at = Date.now();
    if (frame.event === "open" || frame.event === "beat") return;
    const data = parse(frame.data);
    if (frame.event === "event") this.#apply(data);
    else if (frame.event === "typing") this.#showTyping(data.author, data.name ?? null);
    else if (frame.event === "queue") {
      this.#queue = frame;
      this.#report({ type: "queue", queue: data });
    }
  }

  /** @param {ChatEvent} event */
  #apply(event) {
    if (event.seq <= this.#last) return;
    this.#last = event.seq;
    this.#report({ type: "event", conversation: this.conversation, event });
    if (event.type === "owner") this.#store.remember({ closed: event.data.owner === "closed" });
    // Its own timer would end the next sign of typing too early.
    if (event.type === "message") clearTimeout(this.#typing.get(event.data.author));
  }

  /** The bot has been asked: it is at work even if its own sign of that was given before the stream was open. */
  expectReply() {
    this.#showTyping("bot", null);
  }

  /** @param {string} author @param {string | null} name */
  #showTyping(author, name) {
    clearTimeout(this.#typing.get(author));
    this.#report({ type: "typing", author, name });
    const over = () => this.#report({ type: "typing_over", author });
    this.#typing.set(author, setTimeout(over, this.#times.typing_ms));
  }

  /** @param {Link} link */
  #setLink(link) {
    if (link === this.#link) return;
    this.#link = link;
    this.#report({ type: "link", link });
    if (this.#tabs.leading) this.#tabs.tell({ kind: "link", conversation: this.conversation, link });
  }

  /** @param {Frame} frame */
  #hearFrame(frame) {
    this.#setLink("live");
    const missed = frame.event === "event" && parse(frame.data).seq > this.#last + 1;
    if (missed) this.#catchUp().catch(expected);
    else this.#take(frame);
  }

  /** Tells a tab that has just come how things are. */
  #greet() {
    if (!this.#tabs.leading) return;
    this.#tabs.tell({ kind: "link", conversation: this.conversation, link: this.#link });
    if (this.#queue) this.#tabs.tell({ kind: "frame", conversation: this.conversation, frame: this.#queue });
  }

  /** Takes the stream over when the tab that reads it has gone silent. */
  #watch() {
    const silent = Date.now() - this.#heard_at > this.#times.silent_ms;
    if (!silent || !this.#tabs.sharing || this.#tabs.leading || globalThis.document?.hidden) return;
    this.#heard_at = Date.now();
    this.#tabs.lead(this.conversation, this.#stop.signal, (turn) => this.#read(turn), { steal: true });
  }
}

/** A call that did not work and will be made again for another reason. @param {unknown} error */
export function expected(error) {
  if (!(error instanceof ChatError)) throw error;
}

/** @param {string} json @returns {any} */
function parse(json) {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ChatError("unreadable", { cause });
  }
}
