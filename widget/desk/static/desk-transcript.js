/** The transcript: customer, bot and agents, changes of hands, notes and what is still being sent, in one row. */

import { bodyNodes, h, keepChildren, outerLink } from "./desk-nodes.js";
import { timeline } from "./desk-state.js";
import { text } from "./desk-text.js";

/** So near the end the reader is taken along when something new comes. */
const NEAR_PX = 80;

/** @param {import("./desk-app.js").DeskApp} app */
export function transcriptView(app) {
  const list = h("ol", {});
  const log = h("div.transcript", { role: "log", "aria-label": text.talk.transcript, tabindex: "0" }, list);
  const typing = h("p.typing", { role: "status" });
  const newBelow = h("button.new-below", { type: "button", hidden: true }, text.talk.newBelow);
  const element = h("div.transcript-box", {}, log, typing, newBelow);
  const toEnd = () => (log.scrollTop = log.scrollHeight);
  newBelow.addEventListener("click", toEnd);
  log.addEventListener("scroll", () => {
    if (nearEnd(log)) newBelow.hidden = true;
  });
  let shownId = null;
  let lastKey = null;

  const draw = (state) => {
    const words = state.openId && state.openId in state.typing ? text.talk.typing : "";
    const follow = nearEnd(log) || shownId !== state.openId;
    if (typing.textContent !== words) typing.textContent = words;
    if (!state.open) return;
    const items = timeline(state);
    keepChildren(list, withDays(items), { key: (item) => item.key, says: (item) => JSON.stringify(item), make: row });
    const newest = items.at(-1)?.key ?? null;
    if (follow) toEnd();
    else if (newest !== lastKey) newBelow.hidden = false;
    [shownId, lastKey] = [state.openId, newest];
  };
  return { element, draw };
}

function nearEnd(log) {
  return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
}

function withDays(items) {
  let day = "";
  return items.flatMap((item) => {
    const its = new Date(item.at).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
    const heading = its === day ? [] : [{ key: `d${its}`, kind: "day", at: item.at, words: its }];
    day = its;
    return [...heading, item];
  });
}

const rows = {
  day: (item) => h("li.row.row-line", {}, h("span.day", {}, item.words)),
  note: ({ note }) => h("li.row.row-note", {}, by(text.talk.note(note.author.name), note.at), plain(note.text)),
  outgoing: ({ item }) => h("li.row.row-agent", { "data-state": item.state }, plain(item.text), h("p.row-foot", {}, outgoingWords[item.state])),
  owner: ({ event }) => h("li.row.row-line", {}, h("span.change", {}, changeWords(event.data), " · ", clock(event.at))),
  survey: ({ event }) => h("li.row.row-line", {}, h("span.change", { dir: "auto" }, surveyWords(event.data))),
  message: ({ event }) => (event.data.author === "system" ? systemRow(event) : messageRow(event)),
};

const outgoingWords = { sending: text.talk.sending, sent: text.talk.sending, retrying: text.talk.retrying, paused: text.talk.paused };

function row(item) {
  return (rows[item.kind] ?? (() => h("li", { hidden: true })))(item);
}

function systemRow({ data, at }) {
  return h("li.row.row-line", {}, h("span.change", { dir: "auto" }, data.text, " · ", clock(at)));
}

function messageRow({ data, at }) {
  const name = data.name ?? text.authors[data.author] ?? text.authors.system;
  return h(
    `li.row.row-${data.author}`,
    {},
    by(name, at, data.outcome && data.author === "bot" ? text.outcomes[data.outcome] ?? data.outcome : null),
    data.body?.length && data.author !== "customer" ? h("div.words", { dir: "auto" }, ...bodyNodes(data.body)) : plain(data.text),
    data.sources?.length ? sources(data.sources) : null,
    data.choices?.length ? offered(data.choices) : null,
  );
}

function by(name, at, chip) {
  return h("p.row-by", {}, h("bdi", {}, name), " ", clock(at), chip ? h("span.chip", {}, chip) : null);
}

/** What somebody typed: text, and never anything else. */
function plain(words) {
  return h("p.words.plain", { dir: "auto" }, words);
}

function clock(at) {
  const words = new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return h("time", { datetime: at, title: new Date(at).toLocaleString() }, words);
}

function sources(list) {
  const line = ({ title, section, url, confidence }) =>
    h(
      "li",
      {},
      outerLink(withoutQuery(url), section && section !== title ? `${title} – ${section}` : title, text.details.newTab),
      " ",
      typeof confidence === "number" ? h("span.faint", {}, text.talk.confidence(confidence)) : null,
    );
  return h("div.row-more", {}, h("span.row-label", {}, text.talk.sources), h("ul.sources", {}, ...list.map(line)));
}

/** A source's address carries who was shown it; opened by an agent it must not count as read by the customer. */
function withoutQuery(address) {
  return String(address ?? "").replace(/\?[^#]*/, "");
}

function offered(choices) {
  return h(
    "div.row-more",
    {},
    h("span.row-label", {}, text.talk.offered),
    h("ul.choices", {}, ...choices.map(({ title }) => h("li", { dir: "auto" }, title))),
  );
}

function changeWords({ owner, reason, agent }) {
  if (owner === "agent") return text.changes.agent(agent?.name);
  const words = text.changes[owner] ?? {};
  return words[reason] ?? words.default ?? owner;
}

function surveyWords({ state, score, comment }) {
  return state === "answered" ? text.talk.rated(score, comment) : text.talk.asked;
}
