/** The column of conversations: who waits, what is mine, and the other views. */

import { h, keepChildren } from "./desk-nodes.js";
import { colleagues, latestFirst, mine, needsReply, VIEWS, waiting } from "./desk-state.js";
import { text } from "./desk-text.js";

/** From here on a wait is shown as a long one. */
const LONG_WAIT_MS = 120_000;

/** @param {import("./desk-app.js").DeskApp} app */
export function listView(app) {
  const tabs = h("div.views", { role: "group", "aria-label": text.views.label }, ...VIEWS.map((view) => viewButton(app, view)));
  const groups = {
    waiting: group(text.list.waiting, text.list.nobodyWaiting),
    mine: group(text.list.mine, text.list.nothingMine),
    other: group("", text.list.nothing),
  };
  const element = h("nav.list", { "aria-label": text.views.label }, tabs, ...Object.values(groups).map((part) => part.element));

  const draw = (state) => {
    for (const button of tabs.children) button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
    const todo = state.view === "todo";
    fill(groups.waiting, { shown: todo, known: state.lists.queued, items: waiting(state) }, app);
    fill(groups.mine, { shown: todo, known: state.lists.agent, items: mine(state) }, app);
    const known = state.view === "colleagues" ? state.lists.agent : state.lists[state.view];
    const items = state.view === "colleagues" ? colleagues(state) : latestFirst(known ?? []);
    fill(groups.other, { shown: !todo, known, items, heading: text.views[state.view] }, app);
  };
  return { element, draw };
}

function viewButton(app, view) {
  return h("button", { type: "button", "data-view": view, "aria-pressed": "false", onclick: () => app.chooseView(view) }, text.views[view]);
}

function group(heading, nothing) {
  const title = h("h2", {}, heading);
  const count = h("span.count", {});
  const list = h("ul", {});
  const empty = h("p.empty", {}, nothing);
  return { element: h("section.group", {}, h("div.group-head", {}, title, count), list, empty), title, count, list, empty, nothing };
}

function fill(part, { shown, known, items, heading }, app) {
  part.element.hidden = !shown;
  if (!shown) return part.list.replaceChildren();
  if (heading) part.title.textContent = heading;
  part.count.textContent = known ? String(items.length) : "";
  part.empty.hidden = items.length > 0;
  part.empty.textContent = known ? part.nothing : text.list.loading;
  keepChildren(part.list, items, {
    key: (conversation) => conversation.id,
    says: (conversation) => JSON.stringify([conversation, conversation.id in app.state.typing, app.state.openId === conversation.id]),
    make: (conversation) => h("li", {}, line(conversation, app)),
  });
}

function line(conversation, app) {
  const { id, owner } = conversation;
  const isMine = owner === "agent" && conversation.agent?.id === app.state.staff?.id;
  const isTyping = id in app.state.typing;
  const last = tellingMessage(conversation);
  const words = isTyping ? text.list.typing : last ? speaker(last.author, isMine) + last.text : text.list.noWords;
  return h(
    "button.item",
    { type: "button", "aria-current": app.state.openId === id ? "true" : null, "data-id": id, onclick: () => app.open(id) },
    h("span.item-head", {}, h("span.item-name", { dir: "auto" }, text.customer(id, conversation.customer)), since(conversation, app)),
    h("span.item-words", { dir: "auto", "data-typing": isTyping || null }, words),
    h(
      "span.item-foot",
      {},
      conversation.reason && owner !== "agent" ? h("span.chip", { "data-tone": owner }, text.reasons[conversation.reason] ?? conversation.reason) : null,
      isMine && needsReply(conversation) ? h("span.chip", { "data-tone": "reply" }, text.list.needsReply) : null,
      owner === "agent" && !isMine ? h("span.chip", { "data-tone": "agent" }, h("bdi", {}, text.list.heldBy(conversation.agent?.name ?? ""))) : null,
    ),
  );
}

/** Of a conversation that waits the customer's words tell more than the bot's "a person comes"; else what was said last. */
function tellingMessage({ owner, last_message: last, last_customer_message: asked }) {
  return owner === "queued" && asked ? asked : last;
}

function speaker(author, isMine) {
  return author === "agent" && isMine ? text.list.youSaid : text.list.said[author] ?? "";
}

function since(conversation, app) {
  const queued = conversation.owner === "queued" && conversation.queued_at;
  const at = queued || conversation.last_message?.at || conversation.updated_at;
  const agoMs = app.serverNow() - Date.parse(at);
  const words = queued ? "waits" : "since";
  return h(
    "time.item-time",
    { datetime: at, "data-since": at, "data-words": words, "data-long": queued && agoMs > LONG_WAIT_MS ? true : null },
    text.list[words](text.span(agoMs / 1000)),
  );
}
