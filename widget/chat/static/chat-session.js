/**
 * One customer's side of the talk: begins a conversation with the first message, follows its events, sends what is written.
 *
 * It holds no picture of the talk: every piece of news goes out through `report` as a change for chat-state.js.
 */

import { ChatError } from "./chat-client.js";
import { expected, Following, TIMES } from "./chat-following.js";
import { Outbox } from "./chat-outbox.js";

/** @typedef {import("./chat-store.js").Unsent} Unsent */
/** @typedef {import("./chat-tabs.js").TabMessage} TabMessage */

export class ChatSession {
  #client;
  #store;
  #tabs;
  #report;
  #about;
  #identity;
  #times;
  #stop = new AbortController();
  #outbox;
  /** @type {Following | null} */
  #following = null;
  #told_typing_at = 0;

  /**
   * @param {{client: import("./chat-client.js").ChatClient, store: import("./chat-store.js").ChatStore, tabs: import("./chat-tabs.js").ChatTabs,
   *   report: (change: import("./chat-state.js").Change) => void, about: () => {page?: string, locale?: string},
   *   identity?: () => Promise<string | null>, times?: Partial<typeof TIMES>}} parts
   *   `about`: what is told of the page when a conversation begins; `identity`: a fresh signed identity of the customer, if the page has one
   */
  constructor({ client, store, tabs, report, about, identity = async () => null, times = {} }) {
    this.#client = client;
    this.#store = store;
    this.#tabs = tabs;
    this.#report = report;
    this.#about = about;
    this.#identity = identity;
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
    this.#following?.hurry();
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

  /** Nothing of the customer stays in this browser: they signed out of the site, or another one sits down. */
  forget() {
    for (const item of this.#store.unsent()) this.discard(item.client_id);
    this.#store.forget();
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

  /** The kit has taken a message that the bot will answer. */
  expectReply() {
    this.#following?.expectReply();
  }

  /** The customer is typing. Nobody misses it when it does not arrive. */
  async tellTyping() {
    if (!this.#following || Date.now() - this.#told_typing_at < this.#times.tell_typing_ms) return;
    this.#told_typing_at = Date.now();
    await this.#client.act(this.#store.memory.token, this.#following.conversation, "typing", {}, this.#stop.signal).catch(expected);
  }

  /** The page came back into sight or the network came back. */
  wakeUp() {
    this.#outbox.hurry();
    this.#following?.wakeUp();
  }

  /** The browser says there is no network. */
  offline() {
    this.#following?.offline();
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
      const created = await this.#create(token, about);
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

  /** As the customer whom the page's site has signed. One identity that is not taken must not keep them from writing. @param {string | null} token @param {object} about */
  async #create(token, about) {
    const identity = await this.#identity();
    if (!identity) return this.#client.createConversation(token, about, this.#stop.signal);
    try {
      return await this.#client.createConversation(token, { ...about, identity }, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof ChatError) || error.code !== "invalid") throw error;
      return this.#client.createConversation(token, about, this.#stop.signal);
    }
  }

  /** @param {string} conversation @param {{begun: boolean}} [how] */
  #follow(conversation, how = { begun: false }) {
    this.#unfollow();
    this.#following = new Following(conversation, {
      client: this.#client,
      store: this.#store,
      tabs: this.#tabs,
      report: this.#report,
      gone: (token, error) => this.#forget(conversation, token, error),
      times: this.#times,
    });
    this.#following.run(how);
  }

  #unfollow() {
    this.#following?.stop();
    this.#following = null;
  }

  /** Another tab of this browser says something. @param {TabMessage} message */
  #hear(message) {
    if (message.kind === "moved") this.#move();
    else if (message.conversation === this.#following?.conversation) this.#following.hear(message);
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
