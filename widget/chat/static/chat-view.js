/**
 * Draws a state into the shadow root: launcher, panel and what is in it. It reports what the customer does through `acts` and decides nothing.
 *
 * @typedef {import("./chat-state.js").ChatState} ChatState
 * @typedef {object} Acts
 * @property {(open: boolean) => void} open
 * @property {(words: string) => void} say
 * @property {(choice: {title: string, payload: string}) => void} choose
 * @property {(draft: string) => void} draft
 * @property {(action: "handoff" | "cancel-handoff" | "close") => void} ask
 * @property {() => void} startNew
 * @property {(score: number, comment: string) => void} rate
 * @property {() => void} hurry
 * @property {(item: import("./chat-store.js").Unsent) => void} edit
 * @property {(client_id: string) => void} discard
 */

import { maker, say, set } from "./build.js";
import { backLine } from "./chat-brand.js";
import { ChatClosing } from "./chat-closing.js";
import { ChatComposer } from "./chat-composer.js";
import { icon } from "./chat-icons.js";
import { ChatLog } from "./chat-log.js";
import { isHeldUp, isPending, unreadCount } from "./chat-state.js";
import { queueLine } from "./chat-text.js";
import { safePictureUrl, safeUrl } from "./safe-url.js";

/** In a window of this width or height the panel takes all of it; the style says the same. */
const SMALL = "(max-width: 480px), (max-height: 500px)";

export class ChatView {
  #drawing;
  #root;
  #signal;
  #log;
  #composer;
  #closing;
  /** @type {Record<string, HTMLElement>} */
  #parts = {};
  #open = false;
  #asking = false;
  /** @type {string | null} */
  #logo = null;
  #hinted = "";

  /** @param {ShadowRoot} root @param {Omit<import("./chat-log.js").Drawing, "make"> & {title: string | null}} drawing `title`: what the page calls it @param {AbortSignal} signal */
  constructor(root, drawing, signal) {
    const make = maker(drawing.document);
    this.#root = root;
    this.#signal = signal;
    this.#drawing = { ...drawing, make };
    this.#log = new ChatLog(this.#drawing, signal);
    this.#composer = new ChatComposer(this.#drawing, signal);
    this.#closing = new ChatClosing(this.#drawing, signal);
    root.replaceChildren(this.#panel(), this.#launcher());
    this.#listen();
  }

  /** @param {ChatState} state */
  draw(state) {
    const focused = this.#root.activeElement;
    this.#drawLauncher(state);
    this.#drawBrand(state);
    this.#drawStatus(state);
    this.#drawQueue(state);
    this.#drawActions(state);
    this.#composer.draw(state);
    this.#closing.draw(state);
    this.#drawOpen(state.open);
    this.#log.draw(state);
    const lost = focused !== null && focused.getClientRects().length === 0;
    if (lost && state.open && state.owner === "closed") this.#closing.focus();
    else if (lost && state.open) this.focus();
  }

  /** Puts the focus where the customer goes on: the box, or on phones the conversation, where the box would call up the keyboard. */
  focus() {
    if (this.#window().matchMedia("(pointer: coarse)").matches) this.#log.focus();
    else this.#composer.focus();
  }

  focusLauncher() {
    this.#parts.launcher.focus({ preventScroll: true });
  }

  #window() {
    return /** @type {Window} */ (this.#drawing.document.defaultView);
  }

  #launcher() {
    const { make, text, document } = this.#drawing;
    const badge = make("span", { class: "badge", hidden: true });
    const words = make("span", { class: "words" }, text.launcherShort);
    const launcher = make("button", { class: "launcher", type: "button", "aria-expanded": "false", "aria-controls": "panel" }, icon(document, "chat"), icon(document, "down"), words, badge);
    Object.assign(this.#parts, { launcher, badge });
    return launcher;
  }

  #panel() {
    const { make } = this.#drawing;
    const panel = make("section", { class: "panel", id: "panel", role: "dialog", hidden: true });
    const link = make("p", { class: "link", role: "status" });
    panel.append(this.#header(), link, this.#log.element, this.#queue(), this.#closing.element, this.#composer.element, this.#footer());
    Object.assign(this.#parts, { panel, link });
    return panel;
  }

  #header() {
    const { make, text, document } = this.#drawing;
    const status = make("p", { class: "state" });
    const close = make("button", { class: "close", type: "button", "aria-label": text.close }, icon(document, "close"));
    const mark = make("span", { class: "mark", "aria-hidden": "true" }, icon(document, "chat"));
    const title = make("h2", { dir: "auto" });
    Object.assign(this.#parts, { status, close, mark, title });
    return make("div", { class: "head" }, mark, make("div", { class: "names" }, title, status), close);
  }

  #queue() {
    const { make, text, document } = this.#drawing;
    const place = make("p", { class: "place" });
    const hint = make("p", { class: "hint" });
    const never = make("button", { class: "never", type: "button" }, text.neverMind);
    const queue = make("div", { class: "queue", role: "status", hidden: true }, icon(document, "clock"), place, hint, never);
    Object.assign(this.#parts, { queue, place, hint, never });
    return queue;
  }

  #footer() {
    const { make, text, kit, document } = this.#drawing;
    const person = make("button", { class: "person", type: "button" }, icon(document, "person"), make("span", {}, text.person));
    const help = make("a", { class: "help", href: new URL("help", kit).href, target: "_blank", rel: "noopener" }, text.help, make("span", { class: "unseen" }, `(${text.newTab})`));
    const end = make("button", { class: "end", type: "button" }, text.end);
    const usual = make("div", { class: "row" }, person, end, help);
    const yes = make("button", { class: "yes", type: "button" }, text.endYes);
    const no = make("button", { class: "no", type: "button" }, text.endNo);
    const sure = make("div", { class: "row sure", role: "group", "aria-label": text.endQuestion, hidden: true }, make("span", {}, text.endQuestion), yes, no);
    Object.assign(this.#parts, { person, end, usual, yes, no, sure });
    return make("div", { class: "foot" }, usual, sure);
  }

  #listen() {
    const { acts } = this.#drawing;
    const { launcher, close, person, never, end, yes, no, panel } = this.#parts;
    const press = (/** @type {HTMLElement} */ element, /** @type {() => void} */ act) => element.addEventListener("click", act, { signal: this.#signal });
    press(launcher, () => acts.open(!this.#open));
    press(close, () => acts.open(false));
    press(person, () => acts.ask("handoff"));
    press(never, () => acts.ask("cancel-handoff"));
    press(end, () => this.#askEnd(true));
    press(no, () => this.#askEnd(false));
    press(yes, () => this.#end());
    panel.addEventListener("keydown", (event) => this.#key(event), { signal: this.#signal });
    const visible = this.#window().visualViewport;
    visible?.addEventListener("resize", () => this.#fit(), { signal: this.#signal });
    this.#fit();
  }

  /** Keeps the panel above the keyboard of a phone. */
  #fit() {
    const visible = this.#window().visualViewport;
    // Zoomed in with two fingers, less is visible too, but then the panel is to stay as large as it is.
    if (visible && visible.scale < 1.05) this.#parts.panel.style.setProperty("--visible", `${visible.height}px`);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (this.#asking) this.#askEnd(false);
      else this.#drawing.acts.open(false);
    }
    if (event.key === "Tab" && this.#window().matchMedia(SMALL).matches) this.#keepFocus(event);
  }

  /** On a phone the panel covers the page: the focus goes round in it. @param {KeyboardEvent} event */
  #keepFocus(event) {
    const found = [.../** @type {NodeListOf<HTMLElement>} */ (this.#parts.panel.querySelectorAll("a[href], button:not(:disabled), textarea, input, [tabindex='0']"))].filter((element) => element.getClientRects().length > 0);
    const edge = event.shiftKey ? found[0] : found.at(-1);
    if (this.#root.activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? found.at(-1) : found[0])?.focus();
  }

  /** @param {boolean} asking */
  #askEnd(asking) {
    const { usual, sure, no, end } = this.#parts;
    this.#asking = asking;
    set(usual, "hidden", asking);
    set(sure, "hidden", !asking);
    (asking ? no : end).focus();
  }

  #end() {
    this.#askEnd(false);
    this.#drawing.acts.ask("close");
    this.#log.focus();
  }

  /** @param {ChatState} state */
  #drawLauncher(state) {
    const { launcher, badge } = this.#parts;
    const { text } = this.#drawing;
    const unread = unreadCount(state);
    set(launcher, "aria-expanded", String(state.open));
    const name = state.open ? text.launcherClose : text.launcher;
    set(launcher, "aria-label", unread > 0 ? `${name}, ${text.unread(unread)}` : name);
    set(badge, "hidden", unread === 0);
    say(badge, unread > 9 ? "9+" : String(unread));
  }

  /** Name and logo: what the page says, else the brand, else words of our own. @param {ChatState} state */
  #drawBrand({ brand }) {
    const { panel, title, mark } = this.#parts;
    const { text, kit, document } = this.#drawing;
    const name = this.#drawing.title ?? brand?.name ?? text.title;
    say(title, name);
    set(panel, "aria-label", name);
    const logo = safePictureUrl(brand?.logo, kit);
    if (logo === this.#logo) return;
    this.#logo = logo;
    mark.replaceChildren(logo === null ? icon(document, "chat") : this.#picture(logo));
  }

  /** The logo; a page whose policy does not let it be fetched keeps the mark. @param {string} src */
  #picture(src) {
    const { make, document } = this.#drawing;
    const picture = make("img", { src, alt: "" });
    picture.addEventListener("error", () => picture.replaceWith(icon(document, "chat")), { signal: this.#signal });
    return picture;
  }

  /** @param {ChatState} state */
  #drawStatus(state) {
    const { panel, status, link } = this.#parts;
    const { text } = this.#drawing;
    set(panel, "data-owner", state.owner);
    const words = { bot: text.statusBot, queued: text.statusQueued, agent: text.statusAgent(state.agent || text.agent), closed: text.statusClosed };
    say(status, words[state.owner]);
    const news = state.link === "lost" || isHeldUp(state) ? text.lost : state.trouble ? text.trouble : "";
    set(link, "data-shown", news !== "");
    // Emptied, not hidden: a live region has to be there before its words are.
    say(link, news);
  }

  /** @param {ChatState} state */
  #drawQueue(state) {
    const { queue, place, never } = this.#parts;
    set(queue, "hidden", state.owner !== "queued");
    const { text, locale } = this.#drawing;
    const back = backLine(text, state.brand?.hours ?? null, new Date(), locale);
    // Outside the hours nobody can say how long the queue takes.
    const known = back && state.queue ? { ...state.queue, wait_low_s: null, wait_high_s: null } : state.queue;
    say(place, state.owner === "queued" ? queueLine(text, known) : "");
    this.#drawHint(back, back === null ? null : (state.brand?.email ?? null));
    set(never, "aria-disabled", isPending(state, "cancel-handoff") ? "true" : null);
  }

  /** What to do while waiting; drawn only where it differs, since it is announced. @param {string | null} back @param {string | null} email */
  #drawHint(back, email) {
    const hinted = JSON.stringify([back, email]);
    if (hinted === this.#hinted) return;
    this.#hinted = hinted;
    set(this.#parts.hint, "data-away", back !== null);
    const { make, text, kit } = this.#drawing;
    const href = safeUrl(email && `mailto:${email}`, kit);
    const link = href === null ? [] : [` ${text.writeTo} `, make("a", { href }, email), "."];
    this.#parts.hint.replaceChildren(...(back === null ? [text.waitingMore] : [`${back} ${text.answerStays}`, ...link]));
  }

  /** @param {ChatState} state */
  #drawActions(state) {
    const { person, end, sure, usual } = this.#parts;
    const { text } = this.#drawing;
    const asking = isPending(state, "handoff");
    set(person, "hidden", state.owner !== "bot");
    // Not `disabled`: that would take the focus away.
    set(person, "aria-disabled", asking ? "true" : null);
    say(/** @type {Element} */ (person.lastElementChild), asking ? text.asking : text.person);
    set(end, "hidden", state.conversation === null || state.owner === "closed");
    set(end, "aria-disabled", isPending(state, "close") ? "true" : null);
    if (state.owner !== "closed" || !this.#asking) return;
    this.#asking = false;
    set(usual, "hidden", false);
    set(sure, "hidden", true);
  }

  /** @param {boolean} open */
  #drawOpen(open) {
    if (open === this.#open) return;
    this.#open = open;
    set(this.#parts.panel, "hidden", !open);
    set(this.#parts.launcher, "data-open", open);
    if (!open) return;
    this.#composer.fit();
    this.#log.shown();
  }
}
