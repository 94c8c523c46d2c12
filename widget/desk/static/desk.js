/** Starts the desk on its page, and keeps the open conversation, or the own account, in the page's address. */

import { DeskApp } from "./desk-app.js";
import { DeskClient } from "./desk-client.js";
import { Drafts } from "./desk-drafts.js";
import { mountDesk } from "./desk-view.js";

const ACCOUNT = "#account";

const app = new DeskApp({ client: new DeskClient(), drafts: new Drafts(storage()) });

function storage() {
  try {
    return sessionStorage;
  } catch {
    return null; // blocked by the browser's settings
  }
}

function addressed() {
  return new URLSearchParams(location.hash.slice(1)).get("conversation");
}

function placeOf(state) {
  if (state.account.shown) return ACCOUNT;
  return state.openId ? `#${new URLSearchParams({ conversation: state.openId })}` : "";
}

function follow(state, before) {
  const place = placeOf(state);
  if (place !== placeOf(before) && place !== location.hash) history.pushState(null, "", place || location.pathname);
}

/** Show what the page's address names. */
function goWhereAddressed() {
  if (location.hash === ACCOUNT) return app.account.open();
  const asked = addressed();
  if (asked) app.open(asked);
  else app.leave();
  app.account.leave();
}

goWhereAddressed();
mountDesk(app, document.getElementById("desk"));
app.subscribe(follow);
addEventListener("popstate", goWhereAddressed);
addEventListener("online", () => app.link.hurry());
addEventListener("offline", () => app.link.lose());
app.start();
