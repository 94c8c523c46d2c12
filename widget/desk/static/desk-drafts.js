/** What the agent has written and not yet sent, kept in the tab's storage so that a reload or a lost session costs no word. */

const PREFIX = "touchdesk.desk.";

export class Drafts {
  /** @param {Storage|null} storage `sessionStorage`; where it is blocked, drafts live as long as the page */
  constructor(storage) {
    this.storage = storage;
    /** @type {Map<string, string>} */
    this.memory = new Map();
  }

  /** Drafts are one person's: when another signs in on this tab, the old ones go. @param {string} staffId */
  belongTo(staffId) {
    const before = this.#get("staff");
    if (before && before !== staffId) this.clear();
    this.#set("staff", staffId);
    return before === staffId || !before;
  }

  /** @param {string} id @param {"reply"|"note"} mode */
  read(id, mode) {
    return this.#get(`draft.${mode}.${id}`) ?? "";
  }

  /** @param {string} id @param {"reply"|"note"} mode @param {string} words */
  write(id, mode, words) {
    this.#set(`draft.${mode}.${id}`, words);
  }

  /** Put words back in front of what has been written since. */
  giveBack(id, mode, words) {
    const since = this.read(id, mode);
    this.write(id, mode, since ? `${words}\n${since}` : words);
  }

  /** @returns {import("./desk-state.js").Outgoing[]} */
  readOutbox() {
    try {
      const kept = JSON.parse(this.#get("outbox") ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  /** @param {import("./desk-state.js").Outgoing[]} outbox */
  writeOutbox(outbox) {
    this.#set("outbox", outbox.length ? JSON.stringify(outbox) : "");
  }

  clear() {
    this.memory.clear();
    this.#withStorage((storage) => {
      const names = Array.from({ length: storage.length }, (_, index) => storage.key(index));
      for (const name of names) if (name?.startsWith(PREFIX)) storage.removeItem(name);
    });
  }

  #get(name) {
    return this.memory.get(name) ?? this.#withStorage((storage) => storage.getItem(PREFIX + name)) ?? null;
  }

  #set(name, value) {
    if (value) this.memory.set(name, value);
    else this.memory.delete(name);
    this.#withStorage((storage) => (value ? storage.setItem(PREFIX + name, value) : storage.removeItem(PREFIX + name)));
  }

  #withStorage(use) {
    try {
      return this.storage ? use(this.storage) : null;
    } catch {
      this.storage = null; // full or forbidden: from here on memory alone
      return null;
    }
  }
}
