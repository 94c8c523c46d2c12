/** An agent at work: the desk without its page, against a desk's API over real HTTP. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { DeskApp } from "../../widget/desk/static/desk-app.js";
import { DeskClient, DeskError } from "../../widget/desk/static/desk-client.js";
import { Drafts } from "../../widget/desk/static/desk-drafts.js";
import { mine, standing, timeline, waiting } from "../../widget/desk/static/desk-state.js";
import { ADA, GRACE, cookieFetch, startDesk } from "./fake_desk.mjs";

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

/** An agent's browser tab; `tab` keeps what a reload keeps. */
function openTab(tab = { fetch: cookieFetch(), drafts: () => new Drafts(null), kept: null }, options = {}) {
  tab.kept ??= tab.drafts();
  const client = new DeskClient(kit.url, { fetch: tab.fetch, timeoutMs: 2000, ...options });
  const app = new DeskApp({ client, drafts: tab.kept, firstPauseMs: 10 });
  apps.push(app);
  return { app, tab };
}

async function atWork(person = ADA) {
  const { app, tab } = openTab();
  await app.start();
  await app.signIn(person.email, "lovelace");
  await until(() => app.state.link === "live" && app.state.lists.queued);
  return { app, tab };
}

async function until(holds, what = holds.toString()) {
  const end = Date.now() + 5000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function looksAt(app, id) {
  app.open(id);
  await until(() => app.state.open?.conversation.id === id);
}

const words = (id) => desk.conversations.get(id).transcript.filter(({ data }) => data.author === "agent").map(({ data }) => data.text);

test("without a session the desk asks to sign in; a wrong password is said", async () => {
  const { app } = openTab();
  await app.start();
  assert.equal(app.state.phase, "signed_out");
  assert.equal(app.state.signIn.problem, null);
  await app.signIn(ADA.email, "wrong");
  assert.equal(app.state.signIn.problem, "wrong_credentials");
  await app.signIn(ADA.email, "lovelace");
  assert.equal(app.state.staff.name, "Ada");
});

test("a kit that is away is told apart from a wrong password", async () => {
  const { app } = openTab();
  desk.isDown = true;
  await app.start();
  assert.equal(app.state.signIn.problem, "unreachable");
});

test("a reload finds the session again", async () => {
  const { tab } = await atWork();
  const { app } = openTab(tab);
  await app.start();
  assert.equal(app.state.phase, "signed_in");
});

test("who starts to wait appears by itself, and who is taken disappears", async () => {
  const { app } = await atWork();
  desk.add("c1");
  await until(() => waiting(app.state).length === 1);
  desk.takes("c1", GRACE);
  await until(() => waiting(app.state).length === 0);
});

test("accepted, answered, closed", async () => {
  desk.add("c1");
  const { app } = await atWork();
  await looksAt(app, "c1");
  assert.equal(await app.accept(), true);
  assert.equal(standing(app.state), "reply");
  assert.deepEqual(mine(app.state).map(({ id }) => id), ["c1"]);
  await app.write("Hello, I am Ada.");
  await until(() => words("c1").length === 1);
  await until(() => app.state.outbox.length === 0);
  assert.equal(timeline(app.state).at(-1).event.data.text, "Hello, I am Ada.");
  await app.close("solved", "");
  assert.equal(standing(app.state), "closed");
  assert.equal(app.state.notice.name, "closed");
});

test("who comes second is told who was quicker", async () => {
  desk.add("c1");
  const { app } = await atWork();
  await looksAt(app, "c1");
  desk.cutStreams();
  desk.takes("c1", GRACE);
  assert.equal(await app.accept(), false);
  assert.deepEqual([app.state.notice.name, app.state.notice.params.name], ["already_taken", "Grace"]);
  assert.equal(standing(app.state), "held");
});

test("writing first takes the conversation from the bot", async () => {
  desk.add("c1", { owner: "bot", reason: null });
  const { app } = await atWork();
  await looksAt(app, "c1");
  assert.equal(standing(app.state), "take");
  await app.write("Let me help.");
  await until(() => standing(app.state) === "reply");
  assert.deepEqual(words("c1"), ["Let me help."]);
});

for (const act of ["drop", "lose_answer", "500", "429"]) {
  test(`a message arrives once and in order though the first try goes wrong (${act})`, async () => {
    desk.add("c1", { owner: "agent", agent: ADA });
    const { app } = await atWork();
    await looksAt(app, "c1");
    desk.next("POST /api/desk/conversations/c1/messages", act);
    await app.write("one");
    await app.write("two");
    await until(() => words("c1").length === 2 && app.state.outbox.length === 0);
    assert.deepEqual(words("c1"), ["one", "two"]);
  });
}

test("what the kit refuses is back in the box, with the reason", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  const { app } = await atWork();
  await looksAt(app, "c1");
  desk.next("c1/messages", "413");
  await app.write("far too long");
  await until(() => app.state.notice?.name === "too_large");
  assert.equal(app.draft(), "far too long");
  assert.deepEqual(app.state.outbox, []);
});

test("words for a conversation that a colleague took meanwhile are not lost", async () => {
  desk.add("c1");
  const { app } = await atWork();
  await looksAt(app, "c1");
  desk.cutStreams();
  desk.takes("c1", GRACE);
  await app.write("Hello?");
  await until(() => app.state.notice?.name === "already_taken_words");
  assert.equal(app.drafts.read("c1", "reply"), "Hello?");
  assert.deepEqual(words("c1"), []);
});

test("a session that ends costs neither the draft nor what is on its way", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  const { app } = await atWork();
  await looksAt(app, "c1");
  app.typed("half a sent");
  desk.sessions.clear();
  await app.write("unsent yet");
  app.typed("half a sentence");
  await until(() => app.state.expired);
  assert.equal(app.state.phase, "signed_out");
  await app.signIn(ADA.email, "lovelace");
  assert.equal(app.state.openId, "c1");
  assert.equal(app.draft(), "half a sentence");
  await until(() => words("c1").length === 1);
});

test("a reload sends what was on its way, once", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  const { app, tab } = await atWork();
  await looksAt(app, "c1");
  desk.next("c1/messages", "lose_answer");
  const failed = new Promise((resolve) => app.subscribe((state) => state.outbox[0]?.state === "retrying" && resolve(app.stop())));
  await app.write("only once");
  await failed;
  const reloaded = openTab(tab).app;
  await reloaded.start();
  await until(() => reloaded.state.outbox.every((item) => item.state === "sent"));
  assert.deepEqual(words("c1"), ["only once"]);
});

test("the live stream notices by itself that the session is over", async () => {
  const { app } = await atWork();
  desk.expireSessions();
  await until(() => app.state.expired);
});

test("a lost connection is said, and what was missed is there afterwards", async () => {
  const { app } = await atWork();
  desk.isDown = true;
  desk.cutStreams();
  await until(() => app.state.link === "lost");
  desk.add("missed");
  desk.isDown = false;
  await until(() => app.state.link === "live" && waiting(app.state).length === 1);
});

test("one cut connection is opened again without a word", async () => {
  const { app } = await atWork();
  const links = [];
  app.subscribe((state) => links.push(state.link));
  desk.cutStreams();
  await until(() => desk.streams.size === 0);
  await until(() => desk.streams.size === 1);
  desk.add("c1");
  await until(() => waiting(app.state).length === 1);
  assert.ok(!links.includes("lost"));
});

test("a connection that fell silent is given up and opened anew", async () => {
  const { app } = openTab(undefined, { silenceMs: 50 });
  await app.start();
  await app.signIn(ADA.email, "lovelace");
  const streams = () => desk.asked.filter((what) => what === "GET /api/desk/events").length;
  await until(() => streams() >= 2);
});

test("a private note reaches the colleagues, not the customer", async () => {
  desk.add("c1", { owner: "agent", agent: GRACE });
  const { app } = await atWork();
  await looksAt(app, "c1");
  app.typed("he called before");
  assert.equal(await app.write("he called before"), true);
  assert.deepEqual(timeline(app.state).map(({ kind }) => kind), ["note"]);
  assert.deepEqual(words("c1"), []);
  assert.equal(app.draft(), "");
});

test("a note that could not be sent stays in the box", async () => {
  desk.add("c1", { owner: "agent", agent: GRACE });
  const { app } = await atWork();
  await looksAt(app, "c1");
  app.typed("he called before");
  desk.next("c1/notes", "drop");
  assert.equal(await app.write("he called before"), false);
  assert.equal(app.state.notice.name, "unreachable");
  assert.equal(app.draft(), "he called before");
});

test("transferred with a note, or returned to the bot, it is no longer mine", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  desk.add("c2", { owner: "agent", agent: ADA });
  const { app } = await atWork();
  await looksAt(app, "c1");
  await app.transfer(" needs billing ");
  assert.equal(app.state.open.conversation.owner, "queued");
  assert.equal(desk.conversations.get("c1").notes[0].text, "needs billing");
  await looksAt(app, "c2");
  await app.giveBack();
  assert.equal(app.state.open.conversation.owner, "bot");
});

test("the customer's typing shows, and ends with their message", async () => {
  desk.add("c1");
  const { app } = await atWork();
  desk.types("c1");
  await until(() => "c1" in app.state.typing);
  desk.says("c1", "here it is");
  await until(() => !("c1" in app.state.typing));
});

test("my typing is told at most every three seconds, and only for replies of mine", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  desk.add("c2");
  const { app } = await atWork();
  const told = () => desk.asked.filter((what) => what.endsWith("/typing")).length;
  await looksAt(app, "c2");
  app.typed("I may not take this");
  await looksAt(app, "c1");
  for (const typed of ["H", "He", "Hel"]) app.typed(typed);
  app.chooseMode("note");
  app.typed("secret");
  await until(() => told() > 0);
  await app.accept();
  assert.equal(told(), 1);
});

test("going away with conversations asks first and gives them back", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  const { app } = await atWork();
  await until(() => mine(app.state).length === 1);
  app.askOrDo("away");
  assert.equal(app.state.dialog.kind, "away");
  assert.equal(app.state.staff.away, false);
  await app.do("away");
  assert.equal(app.state.staff.away, true);
  assert.equal(app.state.dialog, null);
  await until(() => waiting(app.state).length === 1);
});

test("signing out ends the session and leaves no draft", async () => {
  desk.add("c1");
  const { app } = await atWork();
  await looksAt(app, "c1");
  app.typed("draft");
  await app.signOut();
  assert.equal(app.state.phase, "signed_out");
  assert.equal(app.drafts.read("c1", "reply"), "");
  assert.equal(desk.sessions.size, 0);
});

test("another person signing in on an expired tab sees nothing of the first", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  const { app } = await atWork();
  await looksAt(app, "c1");
  app.typed("draft of Ada");
  desk.expireSessions();
  await until(() => app.state.expired);
  await app.signIn(GRACE.email, "lovelace");
  assert.equal(app.state.openId, null);
  assert.equal(app.drafts.read("c1", "reply"), "");
});

test("a token changed by another tab is fetched anew, and the write goes through", async () => {
  desk.add("c1");
  const { app } = await atWork();
  await looksAt(app, "c1");
  for (const session of desk.sessions.values()) session.csrf = "another";
  assert.equal(await app.accept(), true);
});

test("an account without the desk's role is told so and sees nothing", async () => {
  const { app } = openTab();
  desk.next("GET /api/desk/events", "403");
  await app.signIn(ADA.email, "lovelace");
  await until(() => app.state.signIn.problem === "not_allowed");
  assert.equal(app.state.phase, "signed_out");
  assert.equal(app.state.staff, null);
});

test("a write that is forbidden stays forbidden", async () => {
  desk.add("c1");
  const { app } = await atWork();
  await looksAt(app, "c1");
  desk.next("c1/accept", "403");
  assert.equal(await app.accept(), false);
  assert.equal(app.state.notice.name, "failed");
});

test("a conversation that is not there is said and left", async () => {
  const { app } = await atWork();
  app.open("gone");
  await until(() => app.state.notice?.name === "not_found");
  assert.equal(app.state.openId, null);
});

test("whoever loses the conversation they are reading is told", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  const { app } = await atWork();
  await looksAt(app, "c1");
  desk.takes("c1", GRACE);
  await until(() => app.state.notice?.name === "gone");
  assert.equal(app.state.notice.params.name, "Grace");
});

test("blank words are not sent", async () => {
  desk.add("c1", { owner: "agent", agent: ADA });
  const { app } = await atWork();
  await looksAt(app, "c1");
  assert.equal(await app.write(" \n "), false);
  assert.deepEqual(words("c1"), []);
});

test("a call that nobody answers ends by itself, as one that may be tried again", async () => {
  const client = new DeskClient(kit.url, { timeoutMs: 30 });
  desk.next("GET /api/session", "hang");
  await assert.rejects(client.session(), (problem) => problem instanceof DeskError && problem.code === "unreachable" && problem.passing);
});
