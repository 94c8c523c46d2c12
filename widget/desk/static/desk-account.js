/** The page of one's own account: the password, and where one is signed in. It is in the document only while it is shown. */

import { h, keepChildren } from "./desk-nodes.js";
import { atDesk, inAccount } from "./desk-state.js";
import { text } from "./desk-text.js";

const words = text.account;

/** @param {import("./desk-app.js").DeskApp} app */
export function accountView(app) {
  const element = h("main.account", { hidden: true, "aria-labelledby": "account-heading" });
  let parts = null;

  const draw = (state, before) => {
    const shown = inAccount(state);
    element.hidden = !shown;
    if (!shown) {
      parts = null;
      return element.replaceChildren();
    }
    if (!parts) {
      parts = [headView(app), passwordView(app, state), sessionsView(app)];
      element.replaceChildren(...parts.map((part) => part.element));
      element.querySelector(state.staff.mustChoosePassword ? "#current-password" : "h2").focus();
    }
    for (const part of parts) part.draw(state, before);
  };
  return { element, draw };
}

function headView(app) {
  const back = h("button.button.small", { type: "button", onclick: () => app.account.leave() }, words.back);
  const who = h("p.account-who", { dir: "auto" });
  const hint = h("p.account-hint", {});
  const element = h("div.account-head", {}, h("h2", { id: "account-heading", tabindex: "-1" }, words.heading), back, who, hint);

  const draw = (state) => {
    const { name, email, role, mustChoosePassword } = state.staff;
    back.hidden = mustChoosePassword || !atDesk(state);
    who.textContent = `${name} · ${email} · ${words.roles[role] ?? role}`;
    hint.hidden = mustChoosePassword || atDesk(state);
    hint.textContent = words.notAtDesk;
  };
  return { element, draw };
}

function passwordView(app, { staff }) {
  const field = (name, autocomplete) => h("input", { id: `${name}-password`, type: "password", autocomplete, required: true });
  const [current, chosen, again] = [field("current", "current-password"), field("new", "new-password"), field("again", "new-password")];
  chosen.setAttribute("aria-describedby", "password-rule");
  const problem = h("p.problem", { id: "password-problem", role: "alert" });
  const submit = h("button.button.primary", { type: "submit" }, words.change);
  const made = h("p.account-made", { id: "password-made" }, words.made);
  current.setAttribute("aria-describedby", made.id);
  const onsubmit = async (event) => {
    event.preventDefault();
    if (await app.account.changePassword(current.value, chosen.value, again.value)) for (const input of [current, chosen, again]) input.value = "";
  };
  const element = h(
    "section.card",
    { "aria-labelledby": "password-heading" },
    h("h3", { id: "password-heading" }, words.password),
    made,
    h(
      "form",
      { onsubmit },
      h("input", { type: "text", autocomplete: "username", value: staff.email, hidden: true, readonly: true }),
      h("label", { for: current.id }, words.current),
      current,
      h("label", { for: chosen.id }, words.chosen),
      chosen,
      h("p.faint", { id: "password-rule" }, words.rule),
      h("label", { for: again.id }, words.again),
      again,
      problem,
      submit,
    ),
  );

  const draw = (state, before) => {
    const { busy, problem: name, waitS } = state.account;
    made.hidden = !state.staff.mustChoosePassword;
    submit.disabled = busy;
    submit.textContent = busy ? words.changing : words.change;
    const told = words.problem(name, waitS);
    if (problem.textContent !== told) problem.textContent = told;
    const wrong = name && faulty(name, { current, chosen, again });
    for (const input of [current, chosen, again]) mark(input, input === wrong);
    if (wrong && before?.account.problem !== name) wrong.focus();
  };
  return { element, draw };
}

/** The field that a refusal is about, null where it is about none. */
function faulty(problem, { current, chosen, again }) {
  if (problem === "wrong_credentials") return current;
  if (problem === "differ") return again;
  return ["too_short", "too_long", "own_words", "breached", "same"].includes(problem) ? chosen : null;
}

function mark(input, isWrong) {
  if (!isWrong) return input.removeAttribute("aria-invalid");
  input.setAttribute("aria-invalid", "true");
}

function sessionsView(app) {
  const list = h("ul.sessions", {});
  const loading = h("p.faint", { role: "status" }, text.list.loading);
  const others = h("button.button", { type: "button", onclick: () => app.account.askToEnd() }, words.endOthers);
  const heading = h("h3", { id: "sessions-heading", tabindex: "-1" }, words.sessions);
  const element = h(
    "section.card",
    { "aria-labelledby": heading.id },
    heading,
    h("p.faint", {}, words.sessionsHint),
    loading,
    list,
    others,
  );

  const draw = (state, before) => {
    const { sessions } = state.account;
    element.hidden = Boolean(state.staff.mustChoosePassword);
    loading.hidden = sessions !== null;
    others.hidden = (sessions ?? []).length < 2;
    keepChildren(list, sessions ?? [], { key: ({ id }) => id, says: JSON.stringify, make: (session) => line(session, app) });
    if (sessions !== before?.account.sessions && document.activeElement === document.body) heading.focus(); // the button that had it is gone
  };
  return { element, draw };
}

function line(session, app) {
  const name = words.browser(session.browser, session.system);
  const end = () => app.account.askToEnd(session);
  return h(
    "li.session",
    {},
    h(
      "div.session-what",
      {},
      h("p.session-name", {}, name, session.this && h("span.chip", { "data-tone": "mine" }, words.this)),
      h("p.faint", {}, words.begun(moment(session.begun_at)), " · ", session.this ? words.inUse : used(session, app)),
    ),
    !session.this && h("button.button.small", { type: "button", "aria-label": words.endThis(name), onclick: end }, words.end),
  );
}

function used({ used_at: at }, app) {
  const span = text.span((app.serverNow() - Date.parse(at)) / 1000);
  return h("time", { datetime: at, "data-since": at, "data-words": "used" }, text.list.used(span));
}

function moment(at) {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
