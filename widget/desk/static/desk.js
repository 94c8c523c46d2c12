/** Starts the desk on its page, and keeps the open conversation in the page's address. */

import { DeskApp } from "./desk-app.js";
import { DeskClient } from "./desk-client.js";
import { Drafts } from "./desk-drafts.js";
import { mountDesk } from "./desk-view.js";

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

function follow(state, before) {
  if (state.openId === before.openId || state.openId === addressed()) return;
  const place = state.openId ? `#${new URLSearchParams({ conversation: state.openId })}` : location.pathname;
  history.pushState(null, "", place);
}

const asked = addressed();
if (asked) app.open(asked);
mountDesk(app, document.getElementById("desk"));
app.subscribe(follow);
addEventListener("popstate", () => (addressed() ? app.open(addressed()) : app.leave()));
addEventListener("online", () => app.link.hurry());
addEventListener("offline", () => app.link.lose());
app.start();
