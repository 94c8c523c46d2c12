/**
 * What this browser remembers about its conversation.
 *
 * For all tabs and visits (localStorage): token, conversation, how far it was read, messages that were not acknowledged yet, the brand.
 * For this tab (sessionStorage): the draft, and whether the panel is open. With storage blocked everything works until the
 * page is left.
 *
 * @typedef {{token: string | null, conversation: string | null, continues: string | null, read: number, closed: boolean}} Memory
 * @typedef {{client_id: string, path: "messages" | "handoff" | "cancel-handoff" | "close" | "survey", conversation: string | null,
 *   order: number, text?: string, payload?: string, score?: number, comment?: string}} Unsent
 */

/** @type {Readonly<Memory>} */
const NOTHING = Object.freeze({ token: null, conversation: null, continues: null, read: 0, closed: false });
const PATHS = new Set(["messages", "handoff", "cancel-handoff", "close", "survey"]);

/** Storage that lives as long as the page, for browsers that block the real one. */
export class MemoryStorage {
  /** @type {Map<string, string>} */
  #values = new Map();

  get length() {
    return this.#values.size;
  }

  /** @param {number} index */
  key(index) {
    return [...this.#values.keys()][index] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.#values.get(key) ?? null;
  }

  /** @param {string} key @param {string} value */
  setItem(key, value) {
    this.#values.set(key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    this.#values.delete(key);
  }
}

/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} AnyStorage */

/**
 * Gives the browser's storage of that name, or one in memory when the browser blocks it.
 * @param {"localStorage" | "sessionStorage"} name @param {any} place what holds the storages: the window
 * @returns {AnyStorage}
 */
export function openStorage(name, place) {
  try {
    const storage = place[name];
    storage.setItem("support-chat:try", "1");
    storage.removeItem("support-chat:try");
    return storage;
  } catch (error) {
    // Blocked by the customer's settings, a full disk, or no storage at all (null): each is a reason to go on without.
    if (error instanceof TypeError || error instanceof DOMException) return new MemoryStorage();
    throw error;
  }
}

export class ChatStore {
  #lasting;
  #passing;
  #prefix;

  /** @param {{lasting: AnyStorage, passing: AnyStorage, kit: string}} places */
  constructor({ lasting, passing, kit }) {
    this.#lasting = lasting;
    this.#passing = passing;
    this.#prefix = `support-chat:${kit}`;
  }

  /** @returns {Memory} */
  get memory() {
    const found = parse(this.#lasting.getItem(this.#prefix));
    return {
      token: text(found.token),
      conversation: text(found.conversation),
      continues: text(found.continues),
      read: Number.isSafeInteger(found.read) ? /** @type {number} */ (found.read) : 0,
      closed: found.closed === true,
    };
  }

  /** Changes some of what is remembered. @param {Partial<Memory>} changes */
  remember(changes) {
    this.#write(this.#lasting, this.#prefix, JSON.stringify({ ...this.memory, ...changes }));
  }

  forget() {
    this.remember(NOTHING);
  }

  /** Messages that were not acknowledged yet, in the order they were written. @returns {Unsent[]} */
  unsent() {
    const found = [];
    for (let index = 0; index < this.#lasting.length; index += 1) {
      const key = this.#lasting.key(index);
      if (key?.startsWith(`${this.#prefix}:unsent:`)) found.push(parse(this.#lasting.getItem(key)));
    }
    return /** @type {Unsent[]} */ (found.filter(isUnsent)).sort((one, other) => one.order - other.order);
  }

  /** Keeps a message until it is acknowledged. Each has a key of its own, so that tabs never overwrite each other's. @param {Unsent} item */
  keep(item) {
    this.#write(this.#lasting, `${this.#prefix}:unsent:${item.client_id}`, JSON.stringify(item));
  }

  /** @param {string} client_id */
  drop(client_id) {
    this.#lasting.removeItem(`${this.#prefix}:unsent:${client_id}`);
  }

  /** What the kit said last of its brand, and when (ms since 1970); null before it has said anything. @returns {{at: number, brand: unknown} | null} */
  get brand() {
    const { at, brand } = parse(this.#lasting.getItem(`${this.#prefix}:brand`));
    return typeof at === "number" ? { at, brand } : null;
  }

  /** @param {{at: number, brand: unknown} | null} kept */
  set brand(kept) {
    this.#write(this.#lasting, `${this.#prefix}:brand`, JSON.stringify(kept));
  }

  get draft() {
    return this.#passing.getItem(`${this.#prefix}:draft`) ?? "";
  }

  set draft(value) {
    this.#write(this.#passing, `${this.#prefix}:draft`, value);
  }

  get open() {
    return this.#passing.getItem(`${this.#prefix}:open`) === "yes";
  }

  set open(value) {
    this.#write(this.#passing, `${this.#prefix}:open`, value ? "yes" : "no");
  }

  /** @param {AnyStorage} storage @param {string} key @param {string} value */
  #write(storage, key, value) {
    try {
      storage.setItem(key, value);
    } catch (error) {
      // Storage is full: the page goes on with what it holds itself.
      if (!(error instanceof DOMException)) throw error;
    }
  }
}

/** @param {string | null} json @returns {Record<string, unknown>} */
function parse(json) {
  if (json === null) return {};
  try {
    const value = JSON.parse(json);
    return value !== null && typeof value === "object" ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** @param {unknown} value @returns {string | null} */
function text(value) {
  return typeof value === "string" && value !== "" ? value : null;
}

/** @param {Record<string, unknown>} item */
function isUnsent(item) {
  if (typeof item.client_id !== "string" || !PATHS.has(/** @type {string} */ (item.path))) return false;
  return item.path !== "messages" || typeof item.text === "string";
}
