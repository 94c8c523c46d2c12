/** Where the agent writes: a reply or a private note, each with a draft of its own for every conversation. */

import { h } from "./desk-nodes.js";
import { standing, writing } from "./desk-state.js";
import { text } from "./desk-text.js";

/** @param {import("./desk-app.js").DeskApp} app @param {{tone: string, address: string}} voice how the company speaks with its customers */
export function composerView(app, voice) {
  const words = h("textarea", { id: "words", rows: 2, dir: "auto" });
  const modes = h("div.modes", { role: "group", "aria-label": text.composer.mode }, modeButton(app, "reply"), modeButton(app, "note"));
  const line = h("p.composer-line", {});
  const label = h("label.unseen", { for: "words" });
  const send = h("button.button.primary", { type: "submit" });
  const submit = async () => {
    const written = words.value;
    if (await app.write(written)) {
      if (words.value === written) words.value = "";
      fit(words);
    }
  };
  const form = h("form.composer", {}, h("div.composer-top", {}, modes, line), label, h("div.composer-box", {}, words, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  words.addEventListener("input", () => {
    app.typed(words.value);
    fit(words);
  });

  let shows = "";
  const draw = (state) => {
    const mode = writing(state);
    const may = standing(state);
    form.dataset.mode = mode;
    for (const button of modes.children) describeMode(button, mode, may);
    line.textContent = lineFor(state, may, mode, voice);
    label.textContent = mode === "note" ? text.composer.noteLabel : text.composer.replyLabel;
    words.placeholder = mode === "note" ? text.composer.noteHolder : text.composer.replyHolder;
    send.textContent = mode === "note" ? text.composer.addNote : text.composer.send;
    send.disabled = state.busy === "note";
    const now = `${state.openId} ${mode} ${state.draftsReturned} ${state.phase}`;
    if (now !== shows) words.value = app.draft();
    if (now !== shows) fit(words);
    shows = now;
  };
  return { element: form, draw };
}

function modeButton(app, mode) {
  const onclick = () => {
    app.chooseMode(mode);
    document.getElementById("words")?.focus();
  };
  return h("button", { type: "button", "data-mode": mode, onclick }, text.composer[mode]);
}

function describeMode(button, mode, may) {
  button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  button.disabled = button.dataset.mode === "reply" && (may === "held" || may === "closed");
}

function lineFor(state, may, mode, { tone, address }) {
  if (may === "held") return text.composer.held(state.open.conversation.agent?.name);
  if (may === "closed") return text.composer.closed;
  if (may === "take" && mode === "reply") return text.composer.takes;
  // The voice is for what customers read, and only a company that says how it addresses them has one to remind of.
  const spoken = mode === "reply" && address ? text.composer.voice(text.composer.tones[tone], address) : "";
  return spoken ? `${spoken}. ${text.composer.hint}` : text.composer.hint;
}

/** As high as its words, within what the style allows. */
function fit(words) {
  words.style.height = "auto";
  words.style.height = `${words.scrollHeight + 2}px`;
}
