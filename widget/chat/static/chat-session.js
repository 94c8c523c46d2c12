/**
 * One customer's side of the talk: begins a conversation with the first message, follows its events, sends what is written.
 *
 * It holds no picture of the talk: every piece of news goes out through `report` as a change for chat-state.js.
 */

import { backOff, pause } from "./back-off.js";
import { ChatError } from "./chat-client.js";
import { Outbox } from "./chat-outbox.js";

/** @typedef {import("./chat-client.js").ChatEvent} ChatEvent */
/** @typedef {import("./event-stream.js").Frame} Frame */
/** @typedef {import("./chat-store.js").Unsent} Unsent */
/** @typedef {import("./chat-tabs.js").TabMessage} TabMessage */
/** @typedef {import("./chat-state.js").Link} Link */

/** All in milliseconds. */
const TIMES = Object.freeze({
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

export class ChatSession {
  #client;
  #store;
  #tabs;
  #report;
  #about;
  #times;
  #stop = new AbortController();
  #outbox;
  /** @type {{conversation: string, controller: AbortController} | null} */
  #following = null;
  #last = 0;
  #heard_at = 0;
  #told_typing_at = 0;
  /** @type {Link} */
  #link = "idle";
  /** @type {Frame | null} the newest news of the queue, for tabs that come later */
  #queue = null;
  #wake = () => {};
  #attempt = new AbortController();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #typing = new Map();

  /**
   * @param {{client: import("./chat-client.js").ChatClient, store: import("./chat-store.js").ChatStore, tabs: import("./chat-tabs.js").ChatTabs,
   *   report: (change: import("./chat-state.js").Change) => void, about: () => {page?: string, locale?: string}, times?: Partial<typeof TIMES>}} parts
   *   `about`: what is told of the page when a conversation begins
   */
  constructor({ client, store, tabs, report, about, times = {} }) {
    this.#client = client;
    this.#store = store;
    this.#tabs = tabs;
    this.#report = report;
    this.#about = about;
    this.#times = { ...TIMES, ...times };
    this.#outbox = new Outbox({ deliver: (item) => this.#deliver(item), store, report, signal: this.#stop.signal, times: this.#times });
  }

  /** Takes up what this browser remembers. A conversation that was closed is read again only when it is looked at. */
  start() {
    const { conversation, closed } = this.#store.memory;
    this.#tabs.listen((message) => this.#hear(message), this.#stop.signal);
    if (conversation && (!closed || this.#store.open)) this.#follow(conversation);
    this.#outbox.restore();
  }

  stop() {
    this.#stop.abort();
    this.#unfollow();
    this.#tabs.close();
  }

  /** The customer opened the panel. */
  opened() {
    const { conversation } = this.#store.memory;
    if (conversation && !this.#following) this.#follow(conversation);
  }

  /** @param {string} text */
  say(text) {
    this.#send("messages", { text });
  }

  /** The customer pressed a choice. @param {{title: string, payload: string}} choice */
  choose({ title, payload }) {
    this.#send("messages", { text: title, payload });
  }

  /** @param {"handoff" | "cancel-handoff" | "close"} action */
  ask(action) {
    this.#send(action, {});
  }

  /** @param {number} score 1 to 5 @param {string} comment */
  rate(score, comment) {
    this.#send("survey", comment ? { score, comment } : { score });
  }

  /** Tries again at once what waits for its next try. */
  hurry() {
    this.#outbox.hurry();
    this.#wake();
  }

  /** @param {string} client_id */
  discard(client_id) {
    this.#outbox.remove(client_id);
  }

  /** Leaves a closed conversation; the next message begins one that continues it. */
  startNew() {
    const { conversation } = this.#store.memory;
    this.#store.remember({ conversation: null, continues: conversation, closed: false, read: 0 });
    this.#unfollow();
    this.#report({ type: "fresh" });
    this.#tabs.tell({ kind: "moved" });
  }

  /** The customer has seen everything up to event number `read`. @param {number} read */
  markRead(read) {
    if (!this.#following || read <= this.#store.memory.read) return;
    this.#store.remember({ read });
    this.#report({ type: "read", read });
    this.#tabs.tell({ kind: "read", conversation: this.#following.conversation, read });
  }

  /** The customer is typing. Nobody misses it when it does not arrive. */
  async tellTyping() {
    if (!this.#following || Date.now() - this.#told_typing_at < this.#times.tell_typing_ms) return;
    this.#told_typing_at = Date.now();
    await this.#client.act(this.#store.memory.token, this.#following.conversation, "typing", {}, this.#stop.signal).catch(expected);
  }

  /** The page came back into sight or the network came back. */
  wakeUp() {
    this.hurry();
    if (!this.#following) return;
    const own = this.#tabs.leading || !this.#tabs.sharing;
    if (!own) this.#catchUp(this.#following.conversation, this.#following.controller.signal).catch(expected);
    else if (Date.now() - this.#heard_at > this.#times.stale_ms) this.#attempt.abort();
    else this.#setLink("live");
  }

  /** The browser says there is no network. */
  offline() {
    if (this.#following) this.#setLink("lost");
  }

  /** @param {Unsent["path"]} path @param {Pick<Unsent, "text" | "payload" | "score" | "comment">} what */
  #send(path, what) {
    const conversation = this.#store.memory.conversation;
    this.#outbox.add({ client_id: newId(), path, conversation, order: performance.timeOrigin + performance.now(), ...what });
  }

  /** Brings one thing to the kit, into a new conversation where the old one is closed or gone. @param {Unsent} item @returns {Promise<{seq?: number} | null>} */
  async #deliver(item) {
    if (item.path !== "messages" && item.path !== "handoff") return this.#deliverAside(item);
    let closed = null;
    for (let round = 0; round < 3; round += 1) {
      const conversation = await this.#conversation(closed);
      const { token } = this.#store.memory;
      try {
        return await this.#client.act(token, conversation, item.path, bodyOf(item, conversation), this.#stop.signal);
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
        if (error.code === "conversation_closed") closed = conversation;
        else if (error.gone) this.#forget(conversation, token, error);
        else throw error;
      }
    }
    throw new ChatError("unreachable");
  }

  /** What is meant for one conversation only, and is pointless once that has been left. @param {Unsent} item */
  async #deliverAside(item) {
    const { conversation, token } = this.#store.memory;
    if (item.conversation === null || (item.path !== "survey" && item.conversation !== conversation)) return null;
    return this.#client.act(token, item.conversation, item.path, bodyOf(item, item.conversation), this.#stop.signal);
  }

  /** The conversation to write to; begins one if there is none or only a closed one. @param {string | null} closed @returns {Promise<string>} */
  #conversation(closed) {
    return this.#tabs.alone("begin", this.#stop.signal, async () => {
      const { conversation, continues, token } = this.#store.memory;
      if (conversation && conversation !== closed) {
        if (this.#following?.conversation !== conversation) this.#follow(conversation);
        return conversation;
      }
      const about = { ...this.#about(), ...((closed ?? continues) ? { continues: /** @type {string} */ (closed ?? continues) } : {}) };
      return this.#begin(token, about, closed !== null);
    });
  }

  /** @param {string | null} token @param {{page?: string, locale?: string, continues?: string}} about @param {boolean} goingOn @returns {Promise<string>} */
  async #begin(token, about, goingOn) {
    try {
      const created = await this.#client.createConversation(token, about, this.#stop.signal);
      const { id, owner } = created.conversation;
      this.#store.remember({ token: created.token, conversation: id, continues: null, closed: false, read: 0 });
      this.#report({ type: "started", conversation: id, owner, continues: goingOn });
      this.#follow(id, { begun: true });
      this.#tabs.tell({ kind: "moved" });
      return id;
    } catch (error) {
      if (!(error instanceof ChatError) || !error.gone || (!token && !about.continues)) throw error;
      // The token is no longer taken, or what was to be continued is gone: begin as somebody new.
      this.#store.forget();
      return this.#begin(null, this.#about(), goingOn);
    }
  }

  /** @param {string} conversation @param {{begun?: boolean}} [how] `begun`: it has just been made, so there is nothing to fetch */
  #follow(conversation, { begun = false } = {}) {
    this.#unfollow();
    const controller = new AbortController();
    this.#following = { conversation, controller };
    this.#last = 0;
    this.#queue = null;
    this.#heard_at = Date.now();
    this.#run(conversation, controller.signal, begun);
  }

  #unfollow() {
    this.#following?.controller.abort();
    this.#following = null;
    this.#link = "idle";
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
  }

  /** @param {string} conversation @param {AbortSignal} signal @param {boolean} begun */
  async #run(conversation, signal, begun) {
    const watch = setInterval(() => this.#watch(conversation, signal), this.#times.silent_ms / 3);
    try {
      if (!begun) await this.#insist(conversation, signal, false, () => this.#refresh(conversation, signal));
      while (!signal.aborted) await this.#tabs.lead(conversation, signal, (turn) => this.#read(conversation, turn));
    } finally {
      clearInterval(watch);
    }
  }

  /** Takes the stream over when the tab that reads it has gone silent. @param {string} conversation @param {AbortSignal} signal */
  #watch(conversation, signal) {
    const silent = Date.now() - this.#heard_at > this.#times.silent_ms;
    if (!silent || !this.#tabs.sharing || this.#tabs.leading || globalThis.document?.hidden) return;
    this.#heard_at = Date.now();
    this.#tabs.lead(conversation, signal, (turn) => this.#read(conversation, turn), { steal: true });
  }

  /** Reads the stream until `signal` aborts, coming back after every break with all that was missed. @param {string} conversation @param {AbortSignal} signal */
  #read(conversation, signal) {
    return this.#insist(conversation, signal, true, async (alive) => {
      const attempt = new AbortController();
      const end = () => attempt.abort();
      this.#attempt = attempt;
      signal.addEventListener("abort", end, { once: true });
      try {
        for await (const frame of this.#client.stream(this.#store.memory.token, conversation, this.#last, attempt.signal)) {
          this.#setLink("live");
          if (frame.event === "reconnect") return;
          if (frame.event !== "open") alive();
          this.#take(conversation, frame);
          this.#tabs.tell({ kind: "frame", conversation, frame });
        }
      } finally {
        signal.removeEventListener("abort", end);
      }
    });
  }

  /**
   * Does `work` again and again with growing pauses: until it succeeds once, or (`forever`) until `signal` aborts.
   * @param {string} conversation @param {AbortSignal} signal @param {boolean} forever
   * @param {(alive: () => void) => Promise<void>} work calls `alive` when it got somewhere
   */
  async #insist(conversation, signal, forever, work) {
    let failures = 0;
    while (!signal.aborted) {
      const { token } = this.#store.memory;
      try {
        await work(() => (failures = 0));
        if (!forever) return;
      } catch (error) {
        if (!(error instanceof ChatError)) throw error;
        if (signal.aborted) return;
        if (error.gone) return this.#forget(conversation, token, error);
      }
      if (signal.aborted) return;
      failures += 1;
      // One break is mended before anybody would have read the line about it.
      this.#setLink(failures > 1 ? "lost" : "connecting");
      await pause(backOff(failures, this.#times), signal, (wake) => (this.#wake = wake));
    }
  }

  /** @param {string} conversation @param {AbortSignal} signal */
  async #refresh(conversation, signal) {
    const { token, read } = this.#store.memory;
    const found = await this.#client.conversation(token, conversation, signal);
    if (signal.aborted) return;
    this.#report({ type: "snapshot", snapshot: found, read });
    this.#store.remember({ closed: found.owner === "closed" });
    await this.#catchUp(conversation, signal);
    this.#setLink("live");
    this.#tabs.tell({ kind: "hello", conversation });
  }

  /** Fetches what came after the newest event known. @param {string} conversation @param {AbortSignal} signal */
  async #catchUp(conversation, signal) {
    for (;;) {
      const page = await this.#client.events(this.#store.memory.token, conversation, this.#last, signal);
      if (signal.aborted) return;
      for (const event of page.events) this.#apply(conversation, event);
      if (page.events.length === 0 || this.#last >= page.last) return;
    }
  }

  /** @param {string} conversation @param {Frame} frame */
  #take(conversation, frame) {
    this.#heard_at = Date.now();
    if (frame.event === "open" || frame.event === "beat") return;
    const data = parse(frame.data);
    if (frame.event === "event") this.#apply(conversation, data);
    else if (frame.event === "typing") this.#showTyping(data.author, data.name ?? null);
    else if (frame.event === "queue") {
      this.#queue = frame;
      this.#report({ type: "queue", queue: data });
    }
  }

  /** @param {string} conversation @param {ChatEvent} event */
  #apply(conversation, event) {
    if (event.seq <= this.#last) return;
    this.#last = event.seq;
    this.#report({ type: "event", conversation, event });
    if (event.type === "owner") this.#store.remember({ closed: event.data.owner === "closed" });
    // Its own timer would end the next sign of typing too early.
    if (event.type === "message") clearTimeout(this.#typing.get(event.data.author));
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
    if (this.#tabs.leading && this.#following) this.#tabs.tell({ kind: "link", conversation: this.#following.conversation, link });
  }

  /** Another tab of this browser says something. @param {TabMessage} message */
  #hear(message) {
    if (message.kind === "moved") return this.#move();
    if (!this.#following || message.conversation !== this.#following.conversation) return;
    if (message.kind === "read") this.#report({ type: "read", read: message.read });
    else if (message.kind === "hello") this.#greet(message.conversation);
    else if (this.#tabs.leading || !this.#tabs.sharing) return;
    else if (message.kind === "frame") this.#hearFrame(message.conversation, message.frame);
    else if (message.kind === "link") this.#setLink(message.link);
  }

  /** @param {string} conversation @param {Frame} frame */
  #hearFrame(conversation, frame) {
    this.#setLink("live");
    const missed = frame.event === "event" && parse(frame.data).seq > this.#last + 1;
    if (missed) this.#catchUp(conversation, this.#signal()).catch(expected);
    else this.#take(conversation, frame);
  }

  /** Tells a tab that has just come how things are. @param {string} conversation */
  #greet(conversation) {
    if (!this.#tabs.leading) return;
    this.#tabs.tell({ kind: "link", conversation, link: this.#link });
    if (this.#queue) this.#tabs.tell({ kind: "frame", conversation, frame: this.#queue });
  }

  /** Another tab began a conversation or left one. */
  #move() {
    const { conversation } = this.#store.memory;
    if (conversation === (this.#following?.conversation ?? null)) return;
    if (conversation) return this.#follow(conversation);
    this.#unfollow();
    this.#report({ type: "fresh" });
  }

  /** The kit does not know this token or conversation any more. @param {string} conversation @param {string | null} token @param {ChatError} error */
  #forget(conversation, token, error) {
    const memory = this.#store.memory;
    // Another tab may have begun anew meanwhile; what it remembers is not to be touched.
    if (memory.conversation === conversation && memory.token === token) {
      this.#store.remember({ conversation: null, continues: null, closed: false, read: 0, ...(error.status === 401 ? { token: null } : {}) });
    }
    if (this.#following?.conversation !== conversation) return;
    this.#unfollow();
    this.#report({ type: "expired" });
  }

  #signal() {
    return this.#following?.controller.signal ?? this.#stop.signal;
  }
}

/** @param {Unsent} item @param {string} conversation */
function bodyOf({ client_id, path, payload, text, score, comment, conversation: meant }, conversation) {
  if (path === "survey") return { question: "csat", score, ...(comment ? { comment } : {}) };
  if (path !== "messages") return {};
  // A choice belongs to the conversation that offered it; elsewhere its title is what the customer meant.
  return payload && meant === conversation ? { client_id, payload } : { client_id, text };
}

/** 128 random bits. (`crypto.randomUUID` is missing on pages over plain http.) */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A call that did not work and will be made again for another reason. @param {unknown} error */
function expected(error) {
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
