/** What is asked before something is done that others notice: closing, transferring, going away, signing out. */

import { h } from "./desk-nodes.js";
import { mine } from "./desk-state.js";
import { text } from "./desk-text.js";

/** @param {import("./desk-app.js").DeskApp} app */
export function dialogsView(app) {
  const dialog = h("dialog", { "aria-labelledby": "dialog-heading" });
  dialog.addEventListener("close", () => app.state.dialog && app.dispatch({ type: "dialog_closed" }));

  const draw = (state, before) => {
    if (state.dialog !== before?.dialog) show(dialog, app, state);
    tell(dialog.querySelector(".problem"), text.account.problem(state.account.endProblem, state.account.waitS));
    for (const button of dialog.querySelectorAll("button")) button.disabled = Boolean(state.busy);
  };
  return { element: dialog, draw };
}

function show(dialog, app, state) {
  if (!state.dialog) return dialog.close();
  dialog.replaceChildren(forms[state.dialog.kind](app, state.dialog.kind, state.dialog.session));
  if (!dialog.open) dialog.showModal();
}

/** Say why it did not work, and go back to what has to be put right. */
function tell(problem, words) {
  if (!problem || problem.textContent === words) return;
  problem.textContent = words;
  if (words) problem.closest("form").querySelector("input").select();
}

const forms = { close: closeForm, transfer: transferForm, away: sureForm, sign_out: sureForm, end_session: endForm, end_others: endForm };

function frame(app, words, submit, ...inner) {
  const onsubmit = (event) => {
    event.preventDefault();
    submit(new FormData(event.target));
  };
  const cancel = () => app.dispatch({ type: "dialog_closed" });
  return h(
    "form.dialog",
    { method: "dialog", onsubmit },
    h("h2", { id: "dialog-heading" }, words.heading),
    ...inner,
    h(
      "div.dialog-end",
      {},
      h("button.button", { type: "button", onclick: cancel }, text.dialogs.cancel),
      h("button.button.primary", { type: "submit" }, words.submit),
    ),
  );
}

function closeForm(app) {
  const words = text.dialogs.close;
  const articles = app.state.open?.shown_articles ?? [];
  const solving = articles.find((article) => article.verdict === "solved")?.slug;
  const option = ({ slug, title }) => h("option", { value: slug, selected: slug === solving }, title || slug);
  const radio = (value, checked) => h("label.radio", {}, h("input", { type: "radio", name: "resolution", value, required: true, checked }), words[value]);
  const choice = articles.length
    ? [
        h("label", { for: "close-article" }, words.article),
        h("select", { id: "close-article", name: "article" }, h("option", { value: "" }, words.noArticle), ...uniqueBySlug(articles).map(option)),
      ]
    : [];
  const submit = (form) => app.close(String(form.get("resolution")), String(form.get("article") ?? ""));
  const outcomes = h("fieldset", {}, h("legend", {}, words.question), radio("solved", true), radio("not_solved", false), radio("spam", false));
  return frame(app, words, submit, outcomes, ...choice);
}

function uniqueBySlug(articles) {
  return [...new Map(articles.map((article) => [article.slug, article])).values()];
}

function transferForm(app) {
  const words = text.dialogs.transfer;
  const submit = (form) => app.transfer(String(form.get("note") ?? ""));
  const note = h("textarea", { id: "transfer-note", name: "note", rows: 3, dir: "auto" });
  return frame(app, words, submit, h("label", { for: "transfer-note" }, words.note), note);
}

function sureForm(app, kind) {
  const words = text.dialogs[kind];
  return frame(app, words, () => app.do(kind), h("p", {}, words.words(mine(app.state).length)));
}

function endForm(app, kind, session) {
  const words = text.dialogs[kind];
  const name = session && text.account.browser(session.browser, session.system);
  const submit = (form) => {
    const password = String(form.get("password") ?? "");
    return session ? app.account.end(session.id, password) : app.account.endOthers(password);
  };
  return frame(
    app,
    words,
    submit,
    h("p", {}, words.words(name)),
    h("label", { for: "end-password" }, text.dialogs.password),
    h("input", { id: "end-password", name: "password", type: "password", autocomplete: "current-password", required: true }),
    h("p.problem", { role: "alert" }),
  );
}
