/** Draws the state: the frame of the desk, its bar, its notices and sign-in. Lists, the conversation and dialogs draw themselves. */

import { accountView } from "./desk-account.js";
import { dialogsView } from "./desk-dialogs.js";
import { listView } from "./desk-list.js";
import { h } from "./desk-nodes.js";
import { atDesk, inAccount, waiting } from "./desk-state.js";
import { talkView } from "./desk-talk.js";
import { text } from "./desk-text.js";

const NOTICE_STAYS_MS = 8000;

/**
 * @param {import("./desk-app.js").DeskApp} app
 * @param {HTMLElement} root
 */
export function mountDesk(app, root) {
  const brand = brandOf(root);
  const [list, talk, account] = [listView(app), talkView(app, brand), accountView(app)];
  const [signIn, bar, dialogs, notice] = [signInView(app, brand), barView(app, brand), dialogsView(app), noticeView(app)];
  const parts = [signIn, bar, list, talk, account, dialogs, notice];
  const columns = h("main.columns", {}, list.element, talk.element);
  const work = h("div.work", {}, bar.element, columns, account.element);
  const starting = h("p.starting", { role: "status" }, text.list.loading);
  root.replaceChildren(starting, signIn.element, work, dialogs.element, notice.element);

  const draw = (state, before) => {
    starting.hidden = state.phase !== "starting";
    work.hidden = state.phase !== "signed_in";
    columns.hidden = inAccount(state);
    root.dataset.pane = inAccount(state) ? "account" : state.openId ? "conversation" : "list";
    root.dataset.choosing = String(Boolean(state.staff?.mustChoosePassword));
    document.title = titleOf(state, brand);
    for (const part of parts) part.draw(state, before);
  };
  app.subscribe(draw);
  draw(app.state, null);

  return setInterval(() => {
    app.dispatch({ type: "time_passed", now: app.now() });
    for (const element of root.querySelectorAll("[data-since]")) tick(element, app.serverNow());
  }, 1000);
}

function titleOf(state, brand) {
  if (inAccount(state)) return text.titleAccount(brand.name);
  return text.titleWaiting(state.phase === "signed_in" ? waiting(state).length : 0, brand.name);
}

/** Let an element say how long ago its `data-since` was. */
function tick(element, now) {
  const words = text.list[element.dataset.words](text.span((now - Date.parse(element.dataset.since)) / 1000));
  if (element.textContent !== words) element.textContent = words;
}

/** The company's name, logo and voice, as the page carries them. @param {HTMLElement} root */
function brandOf({ dataset: { brand = "", logo = "", tone = "", address = "" } }) {
  return { name: brand, logo, tone, address };
}

function signInView(app, brand) {
  const email = h("input", { id: "email", name: "email", type: "email", autocomplete: "username", required: true });
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true });
  const problem = h("p.problem", { role: "alert" });
  const expired = h("p.expired", {}, text.signIn.expired);
  const submit = h("button.button.primary", { type: "submit" }, text.signIn.submit);
  const onsubmit = (event) => {
    event.preventDefault();
    app.signIn(email.value.trim(), password.value);
  };
  const element = h(
    "main.sign-in",
    { hidden: true },
    h(
      "form",
      { onsubmit },
      brand.logo && h("img", { src: brand.logo, alt: "", width: 44, height: 44 }),
      h("h1", {}, text.signIn.heading),
      brand.name && h("p.sign-in-brand", { dir: "auto" }, brand.name),
      expired,
      h("label", { for: "email" }, text.signIn.email),
      email,
      h("label", { for: "password" }, text.signIn.password),
      password,
      problem,
      submit,
    ),
  );

  const draw = (state, before) => {
    const shown = state.phase === "signed_out";
    const appears = shown && element.hidden;
    element.hidden = !shown;
    expired.hidden = !state.expired;
    submit.disabled = state.signIn.busy;
    submit.textContent = state.signIn.busy ? text.signIn.busy : text.signIn.submit;
    const said = state.signIn.problem ? text.signIn.problems[state.signIn.problem] : "";
    const words = typeof said === "function" ? said(state.signIn.waitS) : said;
    if (problem.textContent !== words) problem.textContent = words;
    if (!shown) password.value = "";
    if (appears) (email.value ? password : email).focus();
    else if (shown && state.signIn.problem && before?.signIn.busy) password.focus();
  };
  return { element, draw };
}

function barView(app, brand) {
  const count = h("span.bar-count", { role: "status" });
  const name = h("span.bar-name", { dir: "auto" });
  const onaway = () => (app.state.staff.away ? app.setAway(false) : app.askOrDo("away"));
  const away = h("button.switch", { type: "button", role: "switch", "aria-label": text.bar.awaySwitch, onclick: onaway });
  const account = h("button.button.small", { type: "button", onclick: () => app.account.open() }, text.bar.account);
  const skip = h("a.skip", { href: "#conversation", onclick: skipToConversation }, text.bar.skip);
  const lost = h("p.line.line-lost", { role: "alert", hidden: true }, text.bar.lost);
  const back = h("button.button.small", { type: "button", onclick: () => app.setAway(false) }, text.bar.back);
  const awayLine = h("p.line.line-away", { hidden: true }, text.bar.awayBanner, " ", back);
  const element = h(
    "header.bar",
    {},
    skip,
    h(
      "div.bar-row",
      {},
      brand.logo && h("img", { src: brand.logo, alt: "", width: 28, height: 28 }),
      brand.name && h("span.bar-brand", { dir: "auto" }, brand.name),
      h("h1", {}, text.desk),
      count,
      h("div.bar-end", {}, name, away, account, h("button.button.small", { type: "button", onclick: () => app.askOrDo("sign_out") }, text.bar.signOut)),
    ),
    lost,
    awayLine,
  );

  const draw = (state) => {
    const words = state.lists.queued ? text.bar.waiting(waiting(state).length) : "";
    if (count.textContent !== words) count.textContent = words;
    count.dataset.some = String(waiting(state).length > 0);
    name.textContent = state.staff?.name ?? "";
    const isAway = Boolean(state.staff?.away);
    skip.hidden = account.hidden = inAccount(state);
    away.hidden = count.hidden = !atDesk(state);
    away.setAttribute("aria-checked", String(isAway));
    away.textContent = isAway ? text.bar.away : text.bar.available;
    away.disabled = state.busy === "away";
    lost.hidden = state.link !== "lost" || !atDesk(state);
    awayLine.hidden = !isAway || !atDesk(state);
  };
  return { element, draw };
}

/** The address of the page names the open conversation, so the skip link moves the focus itself. */
function skipToConversation(event) {
  event.preventDefault();
  document.getElementById("conversation")?.focus();
}

function noticeView(app) {
  const words = h("p", {});
  const dismiss = h("button.notice-dismiss", { type: "button", "aria-label": text.dismiss, onclick: () => app.dispatch({ type: "notice_read" }) }, "×");
  const element = h("div.notice", { role: "status", "aria-live": "polite" });
  let timer;
  const draw = (state, before) => {
    if (state.notice === before?.notice) return;
    clearTimeout(timer);
    if (!state.notice) return element.replaceChildren();
    words.textContent = text.notices[state.notice.name](state.notice.params);
    element.dataset.tone = state.notice.bad ? "bad" : "good";
    element.replaceChildren(words, dismiss);
    timer = setTimeout(() => app.dispatch({ type: "notice_read" }), NOTICE_STAYS_MS);
  };
  return { element, draw };
}
