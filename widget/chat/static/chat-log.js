/**
 * Draws the conversation itself: what was said, who came and went, and what is still on its way.
 *
 * An item that was drawn stays the same element for as long as it lives, so that a screen reader announces it once and a choice keeps the focus.
 *
 * @typedef {import("./chat-state.js").ChatState} ChatState
 * @typedef {import("./chat-state.js").Entry} Entry
 * @typedef {import("./chat-state.js").Outgoing} Outgoing
 * @typedef {import("./chat-view.js").Acts} Acts
 * @typedef {{document: Document, make: import("./build.js").Make, kit: string, text: import("./chat-text.js").ChatText, locale: string, acts: Acts,
 *   topics: string[]}} Drawing `topics`: those that the page names
 */

import { say, set } from "./build.js";
import { greetingOf } from "./chat-brand.js";
import { icon } from "./chat-icons.js";
import { guidePlace } from "./chat-guide.js";
import { buildBody } from "./chat-nodes.js";
import { liveChoices, pendingMessages } from "./chat-state.js";
import { ownerLine } from "./chat-text.js";
import { safeUrl } from "./safe-url.js";

/** Closer to the end than this, in CSS pixels, counts as being there. */
const NEAR = 48;

export class ChatLog {
  #drawing;
  #items;
  #typing;
  #jump;
  #log;
  element;
  /** @type {Map<string, HTMLElement>} */
  #drawn = new Map();
  /** Whether the customer is reading the end, and new items are to be brought into sight. */
  #following = true;
  /** Height of the conversation's window and of what is in it, as last seen. */
  #room = "";

  /** @param {Drawing} drawing @param {AbortSignal} signal */
  constructor(drawing, signal) {
    const { make, text, document } = drawing;
    this.#drawing = drawing;
    this.#items = make("div", { class: "items", role: "log", "aria-label": text.log, "aria-relevant": "additions" });
    this.#typing = make("div", { class: "typing", hidden: true }, make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i")), make("span", { class: "words" }));
    this.#log = make("div", { class: "log", tabindex: 0, role: "group", "aria-label": text.log }, this.#items, this.#typing);
    this.#jump = make("button", { class: "jump", type: "button", hidden: true }, text.newBelow, icon(document, "down"));
    this.element = make("div", { class: "talk" }, this.#log, this.#jump);
    this.#log.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    this.#jump.addEventListener("click", () => this.#toEnd(), { signal });
    this.#watchSize(signal);
  }

  focus() {
    this.#log.focus({ preventScroll: true });
  }

  /** The panel has become visible: what is newest comes into sight. */
  shown() {
    this.#toEnd();
  }

  /** @param {ChatState} state */
  draw(state) {
    const wanted = this.#wanted(state);
    const keys = new Set(wanted.map(([key]) => key));
    for (const [key, element] of this.#drawn) if (!keys.has(key)) this.#remove(key, element);
    const added = this.#place(wanted);
    this.#live(state);
    this.#drawTyping(state);
    this.#bringIntoSight(added);
  }

  /** What is to be seen, in order: a key, and how to draw it when it is not there yet. @param {ChatState} state @returns {[string, () => HTMLElement][]} */
  #wanted(state) {
    const greeting = /** @type {[string, () => HTMLElement]} */ ([greetingKey(state, this.#drawing), () => this.#greeting(state)]);
    const entries = state.entries.map((entry) => /** @type {[string, () => HTMLElement]} */ ([entry.key, () => this.#entry(entry)]));
    const pending = pendingMessages(state).map((out) => /** @type {[string, () => HTMLElement]} */ ([`own:${out.item.client_id}`, () => this.#own(out.item.text ?? "", null)]));
    const day = firstDay(state, this.#drawing);
    const top = day ? [/** @type {[string, () => HTMLElement]} */ ([`day:${day}`, () => this.#line(day, "day")])] : [];
    return [...top, greeting, ...entries, ...pending];
  }

  /** @param {[string, () => HTMLElement][]} wanted @returns {HTMLElement | null} the last item that is new */
  #place(wanted) {
    let added = null;
    let before = /** @type {ChildNode | null} */ (this.#items.firstChild);
    for (const [key, drawIt] of wanted) {
      let element = this.#drawn.get(key);
      if (!element) {
        element = drawIt();
        this.#drawn.set(key, element);
        added = element;
      }
      if (element === before) before = before.nextSibling;
      else this.#items.insertBefore(element, before);
    }
    return added;
  }

  /** @param {string} key @param {HTMLElement} element */
  #remove(key, element) {
    this.#drawn.delete(key);
    element.remove();
  }

  /** Updates what changes in items that are there already. @param {ChatState} state */
  #live(state) {
    const live = liveChoices(state);
    for (const element of this.#items.querySelectorAll(".choices[data-key]")) set(element, "hidden", /** @type {HTMLElement} */ (element).dataset.key !== live);
    const topics = this.#items.querySelector(".topics");
    if (topics) set(topics, "hidden", state.entries.length > 0 || state.outbox.length > 0);
    const waiting = new Map(pendingMessages(state).map((out) => [`own:${out.item.client_id}`, out]));
    for (const [key, element] of this.#drawn) if (key.startsWith("own:")) this.#status(element, waiting.get(key) ?? null);
  }

  /** @param {ChatState} state */
  #drawTyping(state) {
    const { text } = this.#drawing;
    const typing = state.typing.at(-1);
    set(this.#typing, "hidden", !typing);
    set(this.#typing, "data-author", typing?.author ?? null);
    const name = typing?.name || (typing?.author === "agent" ? state.agent || text.agent : text.bot);
    say(/** @type {Element} */ (this.#typing.querySelector(".words")), typing ? text.typing(name) : "");
  }

  /** @param {ChatState} state */
  #greeting(state) {
    const { make, text, acts } = this.#drawing;
    const topics = topicsOf(state, this.#drawing);
    const buttons = topics.map((topic) => this.#button(topic, () => acts.say(topic)));
    const row = topics.length > 0 && make("div", { class: "choices topics", role: "group", "aria-label": text.topics }, ...buttons);
    return make("div", { class: "item from-bot" }, this.#byline(text.bot, null, "bot"), make("div", { class: "bubble" }, make("div", { class: "body", dir: "auto" }, make("p", {}, greetingOf(text, state.brand)))), row);
  }

  /** @param {Entry} entry @returns {HTMLElement} */
  #entry(entry) {
    const { text } = this.#drawing;
    if (entry.kind === "continued" || entry.kind === "expired") return this.#line(text[entry.kind], "line");
    if (entry.kind === "owner") return this.#line(ownerLine(text, entry.data), `line owner-${entry.data.owner}`);
    if (entry.data.author === "customer") return this.#own(entry.data.text, entry.at);
    if (entry.data.author === "system") return this.#line(entry.data.text, "line");
    return this.#theirs(entry);
  }

  /** @param {string} words @param {string} look */
  #line(words, look) {
    return this.#drawing.make("p", { class: `item ${look}`, dir: "auto", hidden: words === "" }, words);
  }

  /** What the customer wrote: plain text, as typed. @param {string} words @param {string | null} at */
  #own(words, at) {
    const { make, text } = this.#drawing;
    const who = make("span", { class: "unseen" }, `${text.you}: `);
    // Outside the bubble: its direction is to come from what the customer wrote.
    return make("div", { class: "item from-customer" }, who, make("div", { class: "bubble plain", dir: "auto", title: at ? this.#time(at) : null }, words), make("div", { class: "status", hidden: true }));
  }

  /** @param {Entry} entry */
  #theirs({ key, at, data }) {
    const { make, text } = this.#drawing;
    const author = data.author === "agent" ? "agent" : "bot";
    const guide = data.outcome === "guide_step";
    const place = guide ? guidePlace(data.body) : null;
    const nodes = place?.rest ?? data.body;
    const body = place || (Array.isArray(nodes) && nodes.length > 0) ? buildBody(nodes, this.#drawing) : paragraphs(data.text, make);
    const step = guide && this.#step(place);
    return make(
      "div",
      { class: `item from-${author}${guide ? " guide" : ""}` },
      this.#byline(data.name || (author === "agent" ? text.agent : text.bot), at, author),
      make("div", { class: "bubble" }, step, make("div", { class: "body", dir: "auto" }, ...body)),
      this.#sources(data.sources),
      this.#choices(key, data.choices),
    );
  }

  /** How far the guide is, and what this step is called. @param {import("./chat-guide.js").GuidePlace | null} place */
  #step(place) {
    const { make, text, document } = this.#drawing;
    const words = make("p", { class: "step" }, icon(document, "steps"), place ? text.stepOf(place.number, place.of) : text.step);
    if (!place) return words;
    const done = make("span", { class: "done", "aria-hidden": "true" });
    done.style.setProperty("--done", String(place.number / place.of));
    return make("div", { class: "progress" }, words, done, make("h3", { dir: "auto" }, place.title));
  }

  /** @param {string} name @param {string | null} at @param {"agent" | "bot"} author */
  #byline(name, at, author) {
    const { make, document } = this.#drawing;
    const mark = make("span", { class: "mark", "aria-hidden": "true" }, author === "agent" ? initial(name) : icon(document, "chat"));
    return make("p", { class: "byline" }, mark, make("bdi", {}, name), at && make("time", { datetime: at }, this.#time(at)));
  }

  /** @param {unknown} sources */
  #sources(sources) {
    const { make, text } = this.#drawing;
    const cards = (Array.isArray(sources) ? sources : []).map((source) => this.#source(source)).filter((card) => card !== null);
    return cards.length > 0 && make("ul", { class: "sources", "aria-label": text.sources }, ...cards.map((card) => make("li", {}, card)));
  }

  /** @param {Record<string, any>} source */
  #source({ url, title, section }) {
    const { make, text, kit, document } = this.#drawing;
    const href = safeUrl(url, kit);
    if (href === null || typeof title !== "string") return null;
    const words = make("span", { class: "words" }, make("bdi", { class: "title" }, title), section && section !== title && make("bdi", { class: "section" }, String(section)));
    return make("a", { class: "source", href, target: "_blank", rel: "noopener" }, icon(document, "book"), words, make("span", { class: "unseen" }, `(${text.newTab})`), icon(document, "out"));
  }

  /** @param {string} key @param {unknown} choices */
  #choices(key, choices) {
    const { make, text, acts } = this.#drawing;
    if (!Array.isArray(choices) || choices.length === 0) return null;
    const buttons = choices.map((choice) => this.#button(String(choice.title), () => acts.choose(choice)));
    return make("div", { class: "choices", role: "group", "aria-label": text.choices, "data-key": key, hidden: true }, ...buttons);
  }

  /** @param {string} words @param {() => void} press */
  #button(words, press) {
    const button = this.#drawing.make("button", { class: "choice", type: "button", dir: "auto" }, words);
    button.addEventListener("click", press);
    return button;
  }

  /** Says below a message how its sending goes. @param {HTMLElement} element @param {Outgoing | null} out */
  #status(element, out) {
    const line = /** @type {HTMLElement} */ (element.lastElementChild);
    const status = out?.status ?? "done";
    if (line.dataset.status === status) return;
    line.dataset.status = status;
    set(line, "hidden", status === "done" || status === "sent");
    line.replaceChildren(...(out ? this.#statusParts(out) : []));
  }

  /** @param {Outgoing} out @returns {(Node | string)[]} */
  #statusParts({ status, code, item }) {
    const { make, text, acts } = this.#drawing;
    const press = (/** @type {string} */ words, /** @type {() => void} */ act) => {
      const button = make("button", { type: "button", class: "small" }, words);
      button.addEventListener("click", act);
      return button;
    };
    if (status === "sending") return [text.sending];
    if (status === "unsent") return [make("span", {}, text.unsentCodes[code ?? ""] ?? text.unsent), press(text.tryNow, acts.hurry)];
    if (status !== "refused") return [];
    const reason = text.refusedCodes[code ?? ""] ?? text.refused;
    return [make("span", {}, reason), press(text.edit, () => acts.edit(item)), press(text.remove, () => acts.discard(item.client_id))];
  }

  /** @param {string} at */
  #time(at) {
    const date = new Date(at);
    return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString(this.#drawing.locale, { hour: "numeric", minute: "2-digit" });
  }

  /** @param {HTMLElement | null} added */
  #bringIntoSight(added) {
    if (!added) return;
    if (this.#following || added.classList.contains("from-customer")) return this.#toEnd(added);
    set(this.#jump, "hidden", false);
  }

  /** Shows the end, or the beginning of the newest item where it is longer than the room for it. @param {HTMLElement | null} [newest] */
  #toEnd(newest = null) {
    this.#following = true;
    set(this.#jump, "hidden", true);
    const tall = newest !== null && newest.offsetHeight > this.#log.clientHeight - NEAR;
    this.#log.scrollTop = tall ? newest.offsetTop - 12 : this.#log.scrollHeight;
  }

  /** A card, a line or a keyboard takes room from the conversation: who was reading its end goes on reading its end. @param {AbortSignal} signal */
  #watchSize(signal) {
    const observer = new ResizeObserver(() => {
      this.#room = this.#measured();
      if (this.#following) this.#log.scrollTop = this.#log.scrollHeight;
    });
    for (const element of [this.#log, this.#items, this.#typing]) observer.observe(element);
    signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  #measured() {
    return `${this.#log.clientHeight} of ${this.#log.scrollHeight}`;
  }

  #scrolled() {
    // Heard before the change of size that is under way: it would take a card's coming for the customer's scrolling up.
    if (this.#measured() !== this.#room) return;
    this.#following = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < NEAR;
    if (this.#following) set(this.#jump, "hidden", true);
  }
}

/** Text without nodes: blank lines part paragraphs, single ones stay. @param {unknown} words @param {import("./build.js").Make} make */
function paragraphs(words, make) {
  return String(words ?? "").split(/\n{2,}/).map((part) => make("p", { class: "plain" }, part));
}

/** @param {string} name */
function initial(name) {
  return [...name.trim()][0]?.toLocaleUpperCase() ?? "";
}

/** The page's own first questions, else the brand's. @param {ChatState} state @param {Drawing} drawing */
function topicsOf(state, { topics }) {
  return topics.length > 0 ? topics : (state.brand?.topics ?? []);
}

/** Another one where the greeting reads differently, so that it is drawn anew. @param {ChatState} state @param {Drawing} drawing */
function greetingKey(state, drawing) {
  return `greeting:${JSON.stringify([greetingOf(drawing.text, state.brand), topicsOf(state, drawing)])}`;
}

/** The day the conversation began, in words. @param {ChatState} state @param {Drawing} drawing */
function firstDay(state, { locale, text }) {
  const at = state.entries.find((entry) => entry.at)?.at;
  const date = at ? new Date(at) : null;
  if (!date || Number.isNaN(date.getTime())) return null;
  if (date.toDateString() === new Date().toDateString()) return text.today;
  return date.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long" });
}
