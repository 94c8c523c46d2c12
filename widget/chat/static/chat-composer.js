/** Where the customer writes: the box, how much room is left, and the way to send. */

import { say, set } from "./build.js";
import { icon } from "./chat-icons.js";
import { clean, COUNT_FROM, roomLeft, TEXT_LIMIT } from "./chat-state.js";

/** @typedef {import("./chat-log.js").Drawing} Drawing */
/** @typedef {import("./chat-state.js").ChatState} ChatState */

/** The box grows with the text up to this height, in CSS pixels. */
const TALLEST = 132;

export class ChatComposer {
  #drawing;
  #box;
  #send;
  #room;
  element;

  /** @param {Drawing} drawing @param {AbortSignal} signal */
  constructor(drawing, signal) {
    const { make, text, document } = drawing;
    this.#drawing = drawing;
    const label = make("label", { class: "unseen", for: "message" }, text.composer);
    const keys = make("span", { class: "unseen", id: "keys" }, text.keys);
    this.#box = /** @type {HTMLTextAreaElement} */ (
      make("textarea", { id: "message", rows: 1, dir: "auto", placeholder: text.placeholder, "aria-describedby": "keys room", enterkeyhint: "send", autocomplete: "off" })
    );
    this.#send = /** @type {HTMLButtonElement} */ (make("button", { class: "send", type: "submit", "aria-label": text.send, disabled: true }, icon(document, "send")));
    this.#room = make("p", { class: "room", id: "room", role: "status", hidden: true });
    this.element = make("form", { class: "composer" }, label, keys, make("div", { class: "box" }, this.#box, this.#send), this.#room);
    this.#box.addEventListener("input", () => drawing.acts.draft(this.#box.value), { signal });
    this.#box.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.element.addEventListener("submit", (event) => this.#submit(event), { signal });
  }

  focus() {
    this.#box.focus({ preventScroll: true });
  }

  /** @param {ChatState} state */
  draw(state) {
    set(this.element, "hidden", state.owner === "closed");
    if (this.#box.value !== state.draft) this.#box.value = state.draft;
    const left = roomLeft(state.draft);
    this.#send.disabled = left < 0 || clean(state.draft) === "";
    set(this.#box, "aria-invalid", left < 0 ? "true" : null);
    this.#drawRoom(left);
    this.fit();
  }

  /** Gives the box the height of its text. */
  fit() {
    this.#box.style.height = "auto";
    const height = Math.min(TALLEST, this.#box.scrollHeight);
    this.#box.style.height = height > 0 ? `${height}px` : "";
    this.#box.style.overflowY = this.#box.scrollHeight > TALLEST ? "auto" : "hidden";
  }

  /** @param {number} left */
  #drawRoom(left) {
    const { text } = this.#drawing;
    set(this.#room, "hidden", left > TEXT_LIMIT - COUNT_FROM);
    set(this.#room, "data-over", left < 0);
    if (left <= TEXT_LIMIT - COUNT_FROM) say(this.#room, left < 0 ? text.tooLong(-left) : text.roomLeft(left));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#say();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    this.#say();
    // The button is of no use without words: the focus goes back to where the next ones are written.
    this.focus();
  }

  #say() {
    const words = clean(this.#box.value);
    if (words !== "" && roomLeft(words) >= 0) this.#drawing.acts.say(words);
  }
}
