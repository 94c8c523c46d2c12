/** The open conversation: its head, transcript, composer and details. */

import { composerView } from "./desk-composer.js";
import { detailsView } from "./desk-details.js";
import { h } from "./desk-nodes.js";
import { standing } from "./desk-state.js";
import { text } from "./desk-text.js";
import { transcriptView } from "./desk-transcript.js";

/** @param {import("./desk-app.js").DeskApp} app */
export function talkView(app, voice) {
  const [transcript, composer, details] = [transcriptView(app), composerView(app, voice), detailsView(app)];
  const head = headView(app, details.element);
  const nothing = h("div.nothing", {}, h("h2", {}, text.talk.nothingOpen), h("p", {}, text.talk.pickOne));
  const loading = h("p.nothing", { role: "status" }, text.talk.loading);
  const talk = h("div.talk", {}, transcript.element, composer.element);
  const element = h("section.conversation", { id: "conversation", "aria-label": text.talk.conversation, tabindex: "-1" }, nothing, head.element, loading, talk, details.element);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && app.state.openId) backToLine(app.state.openId);
  });

  const draw = (state, before) => {
    nothing.hidden = Boolean(state.openId);
    loading.hidden = !state.openId || Boolean(state.open);
    head.element.hidden = !state.openId;
    talk.hidden = !state.open;
    for (const part of [head, transcript, composer, details]) part.draw(state, before);
    if (before && state.openId !== before.openId) moveFocus(state, before);
  };
  return { element, draw };
}

function moveFocus(state, before) {
  if (state.openId) document.querySelector(".talk-head h2")?.focus();
  else backToLine(before.openId);
}

function backToLine(id) {
  document.querySelector(`.item[data-id="${CSS.escape(id)}"]`)?.focus();
}

function headView(app, panel) {
  const heading = h("h2", { tabindex: "-1" });
  const status = h("span.chip", {});
  const act = (words, work, kind = "") => h(`button.button.small${kind}`, { type: "button", onclick: work }, words);
  const accept = act(text.talk.accept, () => takeOver(app), ".primary");
  const transfer = act(text.talk.transfer, () => app.dispatch({ type: "dialog_opened", kind: "transfer" }));
  const giveBack = act(text.talk.giveBack, () => app.giveBack());
  const close = act(text.talk.close, () => app.dispatch({ type: "dialog_opened", kind: "close" }));
  const toggle = h("button.button.small.details-toggle", { type: "button", "aria-expanded": "false", "aria-controls": "details" }, text.talk.details);
  toggle.addEventListener("click", () => {
    const open = panel.dataset.open !== "true";
    panel.dataset.open = String(open);
    toggle.setAttribute("aria-expanded", String(open));
  });
  const back = h("button.back", { type: "button", "aria-label": text.talk.back, onclick: () => app.leave() }, "←");
  const element = h("div.talk-head", {}, back, heading, status, toggle, h("div.talk-actions", {}, accept, transfer, giveBack, close));

  const draw = (state) => {
    const may = standing(state);
    heading.textContent = state.openId ? text.customer(state.openId, state.open?.conversation.customer) : "";
    heading.dir = "auto";
    describe(status, state, may);
    accept.hidden = may !== "take";
    transfer.hidden = giveBack.hidden = may !== "reply";
    close.hidden = may !== "reply" && may !== "take";
    for (const button of [accept, transfer, giveBack, close]) button.disabled = Boolean(state.busy);
  };
  return { element, draw };
}

function describe(chip, state, may) {
  const conversation = state.open?.conversation;
  chip.hidden = !conversation;
  if (!conversation) return;
  chip.dataset.tone = may === "reply" ? "mine" : conversation.owner;
  chip.textContent = may === "reply" ? text.talk.status.mine : text.talk.status[conversation.owner] ?? text.list.heldBy(conversation.agent?.name ?? "");
}

async function takeOver(app) {
  if (await app.accept()) document.getElementById("words")?.focus();
}
