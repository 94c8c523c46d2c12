/**
 * What the help centre does when scripts run: opens the chat, and sends "was this helpful?".
 * Without it everything here stays hidden and the pages read as they are.
 */

/** Make every "Talk to us" button of the page open the chat. */
function offerChat() {
  for (const button of document.querySelectorAll("[data-open-chat]")) {
    button.hidden = false;
    button.addEventListener("click", () => document.querySelector("support-chat")?.setAttribute("open", ""));
  }
}

/**
 * @param {string} address
 * @param {{helpful: boolean, reason?: string}} verdict
 * @returns {Promise<boolean>} whether the kit has taken it
 */
async function sendVerdict(address, verdict) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(verdict),
      keepalive: true, // a verdict given while leaving the page still counts
      signal: AbortSignal.timeout(10_000),
    });
    return answer.ok;
  } catch {
    return false; // no connection, or too slow: the reader is told either way
  }
}

/** @param {HTMLFormElement} form */
function askWhetherHelpful(form) {
  const question = /** @type {HTMLFieldSetElement} */ (form.querySelector("fieldset"));
  const reason = /** @type {HTMLElement} */ (form.querySelector(".feedback-reason"));
  const why = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  const said = /** @type {HTMLElement} */ (form.querySelector(".feedback-said"));

  let unsent = false; // "No" was pressed, its reason not sent yet

  const say = (name) => {
    said.textContent = name ? form.dataset[name] ?? "" : "";
    said.classList.toggle("is-bad", name === "failed");
  };
  const send = async (verdict) => {
    say(null);
    unsent = false;
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    const taken = await sendVerdict(form.action, verdict);
    for (const button of form.querySelectorAll("button")) button.disabled = false;
    say(taken ? "thanks" : "failed");
    if (taken) question.hidden = reason.hidden = true;
  };

  form.querySelector("[value=yes]")?.addEventListener("click", () => send({ helpful: true }));
  form.querySelector("[value=no]")?.addEventListener("click", () => {
    unsent = true;
    form.querySelector("[value=no]").setAttribute("aria-pressed", "true");
    reason.hidden = false;
    why.focus();
  });
  addEventListener("pagehide", () => {
    if (unsent) sendVerdict(form.action, { helpful: false });
    unsent = false;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = why.value.trim();
    send(words ? { helpful: false, reason: words } : { helpful: false });
  });
  form.hidden = false;
}

offerChat();
for (const form of document.querySelectorAll("form.feedback")) askWhetherHelpful(form);
