/** Beside the conversation: why it came here, which articles were shown and what came of them, and from where the customer writes. */

import { h, outerLink } from "./desk-nodes.js";
import { text } from "./desk-text.js";

/** @param {import("./desk-app.js").DeskApp} app */
export function detailsView(app) {
  const element = h("aside.details", { id: "details", "aria-label": text.details.heading, "data-open": "false" });
  let shown = "";
  const draw = (state) => {
    element.hidden = !state.open;
    if (!state.open) return;
    const { conversation, reason, shown_articles: articles } = state.open;
    const says = JSON.stringify([conversation.id, conversation.page, conversation.locale, conversation.customer, reason, articles]);
    if (says !== shown) element.replaceChildren(...gaveUp(reason), articleList(articles), facts(conversation));
    shown = says;
  };
  return { element, draw };
}

function gaveUp(reason) {
  const words = text.reasonsAtLength[reason];
  return words ? [h("section.gave-up", {}, h("h3", {}, text.details.gaveUp), h("p", {}, words))] : [];
}

function articleList(articles) {
  const inner = articles.length ? h("ul.shown-articles", {}, ...articles.map(article)) : h("p.faint", {}, text.details.noArticles);
  return h("section", {}, h("h3", {}, text.details.articles), inner);
}

function article({ slug, title, section, confidence, opened, verdict }) {
  return h(
    "li",
    { "data-verdict": verdict },
    outerLink(`/help/${encodeURIComponent(slug)}`, title || slug, text.details.newTab),
    section && section !== title ? h("span.faint", { dir: "auto" }, section) : null,
    h(
      "span.shown-marks",
      {},
      typeof confidence === "number" ? h("span.chip", {}, text.details.sure(confidence)) : null,
      h("span.chip", {}, opened ? text.details.opened : text.details.notOpened),
      verdict ? h("span.chip", { "data-tone": verdict }, text.details[verdict]) : null,
    ),
  );
}

function facts({ page, locale, customer, created_at: began }) {
  const fact = (name, value) => [h("dt", {}, name), h("dd", { dir: "auto" }, value)];
  return h(
    "section",
    {},
    h(
      "dl.facts",
      {},
      ...(customer ? fact(text.details.customer, knownCustomer(customer)) : []),
      ...fact(text.details.page, page ? outerLink(page, page, text.details.newTab) : text.details.unknown),
      ...fact(text.details.locale, locale || text.details.unknown),
      ...fact(text.details.began, new Date(began).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })),
    ),
  );
}

/** Name, e-mail and the site's own key, as the site has signed them. */
function knownCustomer({ id, name, email }) {
  const lines = [name, email, id].filter(Boolean).map((line) => h("span.known", { dir: "auto" }, line));
  return h("span.known-customer", {}, ...lines, h("span.chip", { "data-tone": "solved" }, text.verified));
}
