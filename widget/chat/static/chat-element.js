/**
 * The class of `<support-chat>`: joins state, view and session, and speaks with the page.
 *
 * Attributes, all optional; a value that is not understood counts as absent:
 * - `kit` (or `src`): address of the kit; otherwise the place this file came from
 * - `open`: the panel is open (also set and removed by the element)
 * - `heading`: name in the header; `topics`: up to four first questions, separated by `|`; without them, those of the kit's brand
 * - `locale`: language tag, otherwise the page's; `page-name`: what the kit is told the page is called, otherwise its address without query
 * - `theme`: `light`, `dark` or `auto`; `position`: `start` or `end`
 *
 * Property `identity`: a function that gives, or promises, a freshly signed identity of the customer, or null for one who is not signed in; asked
 * whenever a conversation begins. Method `forget()`: for when the customer signs out of the site.
 *
 * Events, which bubble: `support-chat:open`, `:close`, `:message` `{author, seq, outcome}`, `:handoff` `{owner, reason}`, `:closed` `{reason}`.
 * They carry no words of the conversation: what a page listens with is often a tracker.
 */

import { brandFrom, brandStyle } from "./chat-brand.js";
import { ChatClient, ChatError } from "./chat-client.js";
import { ChatSession } from "./chat-session.js";
import { awaitsBot, initialState, isPending, reduce } from "./chat-state.js";
import { ChatStore, openStorage } from "./chat-store.js";
import { applyStyle } from "./chat-style.js";
import { ChatTabs } from "./chat-tabs.js";
import { textFor } from "./chat-text.js";
import { ChatView } from "./chat-view.js";

/** @typedef {import("./chat-state.js").Change} Change */
/** @typedef {import("./chat-store.js").Unsent} Unsent */

const TOPICS_MOST = 4;
const PAGE_LONGEST = 500;
/** So long the page may take to say who the customer is, before the conversation begins without that. */
const IDENTITY_MS = 5000;
/** So long what this browser knows of the brand is new enough; whether somebody is here is asked anew whenever it matters. */
const BRAND_FRESH_MS = 300_000;

export class SupportChat extends HTMLElement {
  static observedAttributes = ["open"];

  #state = initialState();
  /** @type {AbortController | null} */
  #connection = null;
  /** @type {ChatView | null} */
  #view = null;
  /** @type {ChatSession | null} */
  #session = null;
  /** @type {ChatStore | null} */
  #store = null;
  #drawing = false;
  /** @type {(() => unknown) | null} */
  #identity = null;
  #brandSheet = new CSSStyleSheet();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    applyStyle(root);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#brandSheet];
  }

  connectedCallback() {
    const connection = new AbortController();
    this.#connection = connection;
    this.#state = initialState();
    // Kept when the element moves about in the page, so that with storage blocked the conversation moves along.
    this.#store ??= new ChatStore({ lasting: openStorage("localStorage", window), passing: openStorage("sessionStorage", window), kit: this.kit });
    this.#view = this.#makeView(connection.signal);
    this.#session = this.#makeSession(this.#store);
    this.#takeBrand(this.#store.brand?.brand);
    this.#restore(this.#store);
    this.#askBrand(BRAND_FRESH_MS);
    this.#listen(connection.signal);
    this.#session.start();
  }

  disconnectedCallback() {
    this.#connection?.abort();
    this.#session?.stop();
    this.#connection = this.#session = this.#view = null;
  }

  attributeChangedCallback() {
    if (this.#view && this.open !== this.#state.open) this.#setOpen(this.open);
  }

  /** Address of the kit, with a slash at its end. */
  get kit() {
    const named = this.getAttribute("kit") ?? this.getAttribute("src") ?? "";
    const own = new URL("../", import.meta.url);
    try {
      const url = named.trim() ? new URL(named.replace(/\/?$/, "/"), document.baseURI) : own;
      return (url.protocol === "https:" || url.protocol === "http:" ? url : own).href;
    } catch (error) {
      if (error instanceof TypeError) return own.href;
      throw error;
    }
  }

  get open() {
    return this.hasAttribute("open");
  }

  set open(value) {
    this.toggleAttribute("open", Boolean(value));
  }

  /** What gives a fresh identity of the customer; anything but a function counts as none. */
  get identity() {
    return this.#identity;
  }

  set identity(value) {
    this.#identity = typeof value === "function" ? value : null;
  }

  /** Nothing of the customer stays in this browser. */
  forget() {
    this.#setDraft("");
    this.#session?.forget();
    this.#draw();
  }

  /** Language tag. */
  get locale() {
    for (const tag of [this.getAttribute("locale"), document.documentElement.lang, navigator.language]) {
      try {
        if (tag) return Intl.getCanonicalLocales(tag)[0];
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
    return "en";
  }

  /** The language tag for times and numbers: of the same language, the reader's own, who may be used to another clock than the page says. */
  get readerLocale() {
    const language = this.locale.split("-")[0];
    return navigator.languages.find((tag) => tag.split("-")[0] === language) ?? this.locale;
  }

  get heading() {
    return this.#ownHeading ?? this.#state.brand?.name ?? textFor(this.locale).title;
  }

  get #ownHeading() {
    return this.getAttribute("heading")?.trim() || null;
  }

  /** The first questions on offer. */
  get topics() {
    return this.#ownTopics.length > 0 ? this.#ownTopics : (this.#state.brand?.topics ?? []);
  }

  get #ownTopics() {
    const topics = (this.getAttribute("topics") ?? "").split("|").map((topic) => topic.trim());
    return topics.filter((topic) => topic !== "").slice(0, TOPICS_MOST);
  }

  get pageName() {
    const named = this.getAttribute("page-name")?.trim() || `${location.origin}${location.pathname}`;
    return named.slice(0, PAGE_LONGEST);
  }

  /** @param {AbortSignal} signal */
  #makeView(signal) {
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    const { kit, locale } = this;
    return new ChatView(root, { document, kit, locale: this.readerLocale, topics: this.#ownTopics, text: textFor(locale), title: this.#ownHeading, acts: this.#acts() }, signal);
  }

  /** @param {ChatStore} store */
  #makeSession(store) {
    return new ChatSession({
      client: new ChatClient(this.kit),
      store,
      tabs: new ChatTabs({ name: `support-chat:${this.kit}`, locks: navigator.locks, Channel: globalThis.BroadcastChannel }),
      report: (change) => this.#change(change),
      about: () => ({ page: this.pageName, locale: this.locale }),
      identity: () => this.#identified(),
    });
  }

  /** What the page says of the customer; a page that fails to must not keep them from writing. @returns {Promise<string | null>} */
  async #identified() {
    const asked = Promise.resolve().then(() => this.#identity?.());
    const tooLate = new Promise((resolve) => setTimeout(resolve, IDENTITY_MS));
    const given = await Promise.race([asked, tooLate]).catch((error) => console.warn("support-chat: no identity", error));
    return typeof given === "string" && given !== "" ? given : null;
  }

  /** Asks the kit for its brand, unless what is known of it is younger than `fresh_ms`. With the kit away all stays as it is. @param {number} fresh_ms */
  async #askBrand(fresh_ms) {
    const store = this.#store;
    const signal = this.#connection?.signal;
    const age_ms = Date.now() - (store?.brand?.at ?? 0);
    if (!store || !signal || (age_ms >= 0 && age_ms < fresh_ms)) return;
    try {
      const brand = await new ChatClient(this.kit).brand(signal);
      store.brand = { at: Date.now(), brand };
      this.#takeBrand(brand);
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
    }
  }

  /** @param {unknown} said what the kit says, or said before */
  #takeBrand(said) {
    const brand = brandFrom(said);
    this.#brandSheet.replaceSync(brandStyle(brand));
    this.#change({ type: "brand", brand });
  }

  /** @param {ChatStore} store */
  #restore(store) {
    const open = this.open || store.open;
    this.#change({ type: "restored", draft: store.draft, open });
    this.open = open;
    store.open = open;
    this.#draw();
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    window.addEventListener("online", () => this.#session?.wakeUp(), { signal });
    window.addEventListener("offline", () => this.#session?.offline(), { signal });
    document.addEventListener("visibilitychange", () => this.#seen(), { signal });
    // A page that is left may be kept whole for the way back, unless it has something open.
    window.addEventListener("pagehide", () => this.#session?.stop(), { signal });
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#comeBack(), { signal });
  }

  /** The customer came back to the page as they left it: take up what has happened since. */
  #comeBack() {
    this.disconnectedCallback();
    this.connectedCallback();
  }

  #seen() {
    if (document.hidden) return;
    this.#session?.wakeUp();
    this.#markRead();
  }

  /** What the customer can do. @returns {import("./chat-view.js").Acts} */
  #acts() {
    return {
      open: (open) => this.#setOpen(open, true),
      say: (words) => this.#say(words),
      choose: (choice) => this.#choose(choice),
      draft: (draft) => this.#setDraft(draft),
      ask: (action) => this.#ask(action),
      startNew: () => this.#startNew(),
      rate: (score, comment) => this.#session?.rate(score, comment),
      hurry: () => this.#session?.hurry(),
      edit: (item) => this.#edit(item),
      discard: (client_id) => this.#session?.discard(client_id),
    };
  }

  /** @param {boolean} open @param {boolean} [moveFocus] */
  #setOpen(open, moveFocus = false) {
    if (open === this.#state.open) return;
    const inside = this.matches(":focus-within") || this.shadowRoot?.activeElement !== null;
    this.#change({ type: "panel", open });
    if (this.#store) this.#store.open = open;
    this.open = open;
    this.#draw();
    if (open) this.#session?.opened();
    if (open && moveFocus) this.#view?.focus();
    if (!open && inside) this.#view?.focusLauncher();
    this.#announce(open ? "open" : "close", {});
    this.#markRead();
  }

  /** @param {string} words */
  #say(words) {
    // A first question of the page must not wipe out what is being written.
    if (!this.topics.includes(words)) this.#setDraft("");
    this.#session?.say(words);
    this.#draw();
  }

  /** @param {{title: string, payload: string}} choice */
  #choose(choice) {
    this.#session?.choose(choice);
    this.#draw();
  }

  /** @param {"handoff" | "cancel-handoff" | "close"} action */
  #ask(action) {
    if (!isPending(this.#state, action)) this.#session?.ask(action);
  }

  /** @param {string} draft */
  #setDraft(draft) {
    this.#change({ type: "draft", draft });
    if (this.#store) this.#store.draft = draft;
    const { owner } = this.#state;
    if (draft !== "" && (owner === "agent" || owner === "queued")) this.#session?.tellTyping();
  }

  #startNew() {
    this.#session?.startNew();
    this.#draw();
  }

  /** @param {Unsent} item */
  #edit(item) {
    this.#session?.discard(item.client_id);
    this.#setDraft([this.#state.draft, item.text].filter(Boolean).join("\n"));
    this.#draw();
    this.#view?.focus();
  }

  /** @param {Change} change */
  #change(change) {
    const before = this.#state;
    this.#state = reduce(before, change);
    if (this.#state === before) return;
    if (this.#state.owner === "queued" && before.owner !== "queued") this.#askBrand(0);
    if (change.type === "event" && change.event.seq > before.last) this.#tell(change.event);
    if (change.type === "event" || change.type === "snapshot") this.#markRead();
    if (awaitsBot(before, change)) this.#session?.expectReply();
    this.#drawSoon();
  }

  /** Tells the page what happened; not what it has been told before. @param {import("./chat-client.js").ChatEvent} event */
  #tell({ seq, type, data }) {
    if (seq <= this.#state.settled) return;
    if (type === "message") this.#announce("message", { author: data.author, seq, outcome: data.outcome ?? null });
    if (type !== "owner") return;
    if (data.owner === "closed") this.#announce("closed", { reason: data.reason ?? null });
    else if (data.owner !== "bot") this.#announce("handoff", { owner: data.owner, reason: data.reason ?? null });
  }

  /** @param {string} name @param {object} detail */
  #announce(name, detail) {
    this.dispatchEvent(new CustomEvent(`support-chat:${name}`, { detail, bubbles: true, composed: true }));
  }

  #markRead() {
    if (this.#state.open && !document.hidden && this.#state.last > this.#state.read) this.#session?.markRead(this.#state.last);
  }

  /** Many changes at once are drawn once. */
  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => this.#draw());
  }

  #draw() {
    this.#drawing = false;
    this.#view?.draw(this.#state);
  }
}
