/** A customer for the tests: the widget's own session and state over real HTTP, without a browser around it. */

import { webcrypto } from "node:crypto";

import { ChatClient } from "../../widget/chat/static/chat-client.js";
import { ChatSession } from "../../widget/chat/static/chat-session.js";
import { initialState, reduce } from "../../widget/chat/static/chat-state.js";
import { ChatStore, MemoryStorage } from "../../widget/chat/static/chat-store.js";
import { ChatTabs } from "../../widget/chat/static/chat-tabs.js";

// Node 18 has it, but not by the name that browsers use.
globalThis.crypto ??= webcrypto;

const QUICK = { first_ms: 10, most_ms: 40, typing_ms: 80, tell_typing_ms: 50, stale_ms: 100, silent_ms: 150 };

/** What outlives a page: storage, and the locks that tabs share. */
export class Browser {
  lasting = new MemoryStorage();
  locks = new FakeLocks();
}

export class Visitor {
  state = initialState();
  changes = [];

  constructor(kit, { browser = new Browser(), sharing = false, limits = {}, times = {}, identity } = {}) {
    this.store = new ChatStore({ lasting: browser.lasting, passing: new MemoryStorage(), kit: kit.url });
    this.tabs = new ChatTabs(sharing ? { name: kit.url, locks: browser.locks, Channel: BroadcastChannel } : { name: kit.url });
    this.session = new ChatSession({
      client: new ChatClient(kit.url, { timeout_ms: 2000, silence_ms: 2000, ...limits }),
      store: this.store,
      tabs: this.tabs,
      report: (change) => this.#take(change),
      about: () => ({ page: "https://shop.example/", locale: "en" }),
      identity,
      times: { ...QUICK, ...times },
    });
  }

  /** Opens the page. */
  arrives() {
    this.session.start();
    return this;
  }

  says(text) {
    this.session.say(text);
  }

  leaves() {
    this.session.stop();
  }

  /** The words of the conversation so far, as seen. */
  get words() {
    return this.state.entries.filter(({ kind }) => kind === "message").map(({ data }) => data.text);
  }

  /** Waits until the state is as wanted. */
  async sees(wanted, what = String(wanted)) {
    const deadline = Date.now() + 5000;
    while (!wanted(this.state)) {
      if (Date.now() > deadline) throw new Error(`never seen: ${what}; ${JSON.stringify(this.state).slice(0, 1500)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.state;
  }

  hears(words) {
    return this.sees(() => this.words.some((said) => said.includes(words)), `“${words}”`);
  }

  #take(change) {
    this.changes.push(change);
    this.state = reduce(this.state, change);
  }
}

/** Web Locks as the standard describes them, as far as the widget uses them: one holder, a line of those who wait, abort and steal. */
export class FakeLocks {
  #held = new Map();
  #lines = new Map();

  request(name, { signal, steal = false }, callback) {
    return new Promise((resolve, reject) => {
      const wish = { callback, resolve, reject };
      const line = this.#lines.get(name) ?? this.#lines.set(name, []).get(name);
      if (signal?.aborted) return reject(new DOMException("aborted", "AbortError"));
      if (steal && this.#held.has(name)) {
        this.#held.get(name).reject(new DOMException("stolen", "AbortError"));
        this.#held.delete(name);
      }
      if (steal) line.unshift(wish);
      else line.push(wish);
      signal?.addEventListener("abort", () => {
        if (!line.includes(wish)) return;
        line.splice(line.indexOf(wish), 1);
        reject(new DOMException("aborted", "AbortError"));
      });
      this.#next(name);
    });
  }

  async #next(name) {
    const line = this.#lines.get(name);
    if (this.#held.has(name) || line.length === 0) return;
    const wish = line.shift();
    this.#held.set(name, wish);
    await Promise.resolve().then(wish.callback).then(wish.resolve, wish.reject);
    if (this.#held.get(name) !== wish) return;
    this.#held.delete(name);
    this.#next(name);
  }
}
