/** The card at the end of a conversation: it is closed, how was it, begin a new one. */

import { say, set } from "./build.js";
import { icon } from "./chat-icons.js";
import { isPending } from "./chat-state.js";

/** @typedef {import("./chat-log.js").Drawing} Drawing */
/** @typedef {import("./chat-state.js").ChatState} ChatState */

/** What the kit takes as a comment, in characters. */
const COMMENT_LIMIT = 2000;

export class ChatClosing {
  #drawing;
  #form;
  #done;
  #ended;
  #scores;
  #more;
  #comment;
  element;

  /** @param {Drawing} drawing @param {AbortSignal} signal */
  constructor(drawing, signal) {
    const { make, text, acts, document } = drawing;
    this.#drawing = drawing;
    this.#scores = text.scores.map((label, index) => this.#score(label, index + 1));
    this.#comment = /** @type {HTMLTextAreaElement} */ (make("textarea", { id: "comment", rows: 2, maxlength: COMMENT_LIMIT, dir: "auto" }));
    const send = make("button", { class: "strong", type: "submit" }, text.rateSend);
    this.#more = make("div", { class: "more", hidden: true }, make("label", { for: "comment" }, text.comment), this.#comment, send);
    this.#form = make("form", { class: "rating", hidden: true }, this.#question(), this.#more);
    this.#done = make("p", { class: "thanks", role: "status", hidden: true });
    const again = make("button", { class: "begin", type: "button" }, icon(document, "chat"), text.startNew);
    this.#ended = make("p", { class: "ended", tabindex: -1 }, text.closed);
    this.element = make("section", { class: "closing", hidden: true }, this.#ended, this.#form, this.#done, again);
    this.#form.addEventListener("change", () => this.#changed(), { signal });
    this.#form.addEventListener("submit", (event) => this.#submit(event), { signal });
    again.addEventListener("click", () => acts.startNew(), { signal });
  }

  /** Puts the focus on the words that it is over; the rating comes next. */
  focus() {
    this.#ended.focus({ preventScroll: true });
  }

  /** @param {ChatState} state */
  draw(state) {
    const { text } = this.#drawing;
    const sending = isPending(state, "survey");
    const answered = state.survey?.answered ?? false;
    set(this.element, "hidden", state.owner !== "closed");
    set(this.#form, "hidden", state.survey === null || answered || sending);
    set(this.#done, "hidden", !answered && !sending);
    if (sending) say(this.#done, text.rateSending);
    else if (answered) say(this.#done, text.rateThanks(text.scores[(state.survey?.score ?? 0) - 1] ?? ""));
    if (state.owner !== "closed") this.#empty();
  }

  /** @param {string} label @param {number} value */
  #score(label, value) {
    const { make } = this.#drawing;
    const input = make("input", { type: "radio", name: "score", value, id: `score-${value}` });
    return make("div", { class: "score" }, input, make("label", { for: `score-${value}` }, make("b", { "aria-hidden": "true" }, String(value)), make("span", {}, label)));
  }

  #question() {
    const { make, text } = this.#drawing;
    return make("fieldset", {}, make("legend", {}, text.rate), make("div", { class: "scores" }, ...this.#scores));
  }

  #chosen() {
    const chosen = /** @type {HTMLInputElement | null} */ (this.#form.querySelector("input:checked"));
    return chosen ? Number(chosen.value) : null;
  }

  #changed() {
    set(this.#more, "hidden", this.#chosen() === null);
  }

  #empty() {
    /** @type {HTMLFormElement} */ (this.#form).reset();
    this.#changed();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const score = this.#chosen();
    if (score !== null) this.#drawing.acts.rate(score, this.#comment.value.trim());
  }
}
