/** People at the desk with their own account: without a page, against a desk's API over real HTTP. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { DeskApp } from "../../widget/desk/static/desk-app.js";
import { DeskClient } from "../../widget/desk/static/desk-client.js";
import { Drafts } from "../../widget/desk/static/desk-drafts.js";
import { atDesk, inAccount } from "../../widget/desk/static/desk-state.js";
import { ADA, EVE, NEW, cookieFetch, startDesk } from "./fake_desk.mjs";

const OLD = "lovelace";
const CHOSEN = "nine red kites over the weir";

let kit;
let desk;
let apps;

beforeEach(async () => {
  kit = await startDesk();
  desk = kit.desk;
  apps = [];
});

afterEach(async () => {
  for (const app of apps) app.stop();
  await kit.stop();
});

async function signedIn(person, password = OLD) {
  const client = new DeskClient(kit.url, { fetch: cookieFetch(), timeoutMs: 2000 });
  const app = new DeskApp({ client, drafts: new Drafts(null), firstPauseMs: 10 });
  apps.push(app);
  await app.start();
  await app.signIn(person.email, password);
  return app;
}

async function until(holds, what = holds.toString()) {
  const end = Date.now() + 5000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a new password ends the other session, and this one goes on live", async () => {
  const elsewhere = await signedIn(ADA);
  const app = await signedIn(ADA);
  await until(() => app.state.link === "live");
  app.account.open();
  await until(() => app.state.account.sessions?.length === 2);
  assert.equal(await app.account.changePassword(OLD, CHOSEN, CHOSEN), true);
  desk.cutStreams(); // as the server does with those of the old session
  elsewhere.refreshLists();
  await until(() => elsewhere.state.expired);
  await until(() => app.state.account.sessions?.length === 1 && app.state.link === "live");
  assert.equal(app.state.notice.name, "password_changed");
  assert.equal(inAccount(app.state), true);
  await app.setAway(true); // a write, with the new second token
  assert.equal(app.state.staff.away, true);
  assert.equal((await signedIn(ADA, CHOSEN)).signedIn, true);
});

for (const [what, [current, chosen, again], problem] of [
  ["a wrong current password", ["wrong", CHOSEN, CHOSEN], "wrong_credentials"],
  ["a password known from a breach", [OLD, "password1", "password1"], "breached"],
  ["two that differ", [OLD, CHOSEN, `${CHOSEN}!`], "differ"],
]) {
  test(`${what} changes nothing and is told in words of its own`, async () => {
    const app = await signedIn(ADA);
    app.account.open();
    assert.equal(await app.account.changePassword(current, chosen, again), false);
    assert.deepEqual([app.state.account.problem, app.state.account.busy, app.signedIn], [problem, false, true]);
    await until(() => app.state.link === "live");
    assert.equal((await signedIn(ADA, OLD)).signedIn, true);
  });
}

test("too many tries are told, and no connection", async () => {
  const app = await signedIn(ADA);
  desk.next("PUT /api/account/password", "429");
  await app.account.changePassword(OLD, CHOSEN, CHOSEN);
  assert.equal(app.state.account.problem, "rate_limited");
  desk.next("PUT /api/account/password", "drop");
  await app.account.changePassword(OLD, CHOSEN, CHOSEN);
  assert.equal(app.state.account.problem, "unreachable");
});

test("a session that has ended meanwhile leads to the sign-in, not to a refusal", async () => {
  const app = await signedIn(ADA);
  desk.sessions.clear();
  await app.account.changePassword(OLD, CHOSEN, CHOSEN);
  assert.deepEqual([app.state.phase, app.state.expired, app.state.account.problem], ["signed_out", true, null]);
});

test("one session is ended, then all others; one that is gone already is no failure", async () => {
  const [first] = [await signedIn(ADA), await signedIn(ADA), await signedIn(ADA)];
  first.account.open();
  await until(() => first.state.account.sessions?.length === 3);
  const others = first.state.account.sessions.filter((session) => !session.this);
  first.account.askToEnd(others[0]);
  await first.account.end(others[0].id, OLD);
  assert.deepEqual([first.state.account.sessions.length, first.state.notice.name, first.state.dialog], [2, "session_ended", null]);
  await first.account.end(others[0].id, OLD);
  assert.deepEqual([first.state.account.sessions.length, first.state.notice.bad], [2, false]);
  await first.account.endOthers(OLD);
  assert.deepEqual([first.state.account.sessions.map((session) => session.this), first.state.notice.name], [[true], "sessions_ended"]);
});

test("a session is not ended with a wrong password: the question stays, and says so", async () => {
  const [app, there] = [await signedIn(ADA), await signedIn(ADA)];
  app.account.open();
  await until(() => app.state.account.sessions?.length === 2);
  app.account.askToEnd();
  await app.account.endOthers("a guess");
  assert.deepEqual([app.state.account.endProblem, app.state.dialog?.kind, app.state.busy, app.signedIn], ["wrong_credentials", "end_others", null, true]);
  desk.next("end-others", "429");
  await app.account.endOthers(OLD);
  assert.equal(app.state.account.endProblem, "rate_limited");
  assert.equal((await there.client.ownSessions()).length, 2);
  app.account.askToEnd();
  assert.equal(app.state.account.endProblem, null);
});

test("a made password opens nothing but the choice of another; then the desk goes on", async () => {
  const app = await signedIn(NEW);
  assert.deepEqual([atDesk(app.state), inAccount(app.state)], [false, true]);
  app.account.leave();
  assert.equal(inAccount(app.state), true);
  assert.deepEqual(desk.asked.filter((call) => call.includes("/api/desk") || call.includes("sessions")), []);
  await app.account.changePassword(OLD, CHOSEN, CHOSEN);
  assert.deepEqual([atDesk(app.state), inAccount(app.state)], [true, false]);
  await until(() => app.state.link === "live" && app.state.lists.queued);
});

test("a choice that becomes needed while the desk is open is asked for at once", async () => {
  const app = await signedIn(ADA);
  await until(() => app.state.link === "live");
  desk.choosing.add(ADA.email);
  await app.setAway(true);
  assert.equal(inAccount(app.state), true);
  assert.equal(app.link.open, null);
});

test("an editor has an account and no desk", async () => {
  const app = await signedIn(EVE);
  assert.deepEqual([app.signedIn, inAccount(app.state)], [true, true]);
  await until(() => app.state.account.sessions?.length === 1);
  assert.equal(await app.account.changePassword(OLD, CHOSEN, CHOSEN), true);
  assert.deepEqual(desk.asked.filter((call) => call.includes("/api/desk")), []);
});
