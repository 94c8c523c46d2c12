/** The talk between widget and kit, over real HTTP against a kit in memory. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { textFor } from "../../widget/chat/static/chat-text.js";
import { startFakeKit } from "./fake_kit.mjs";
import { Browser, Visitor } from "./talk.mjs";

let kit;
let visitors;

beforeEach(async () => {
  kit = await startFakeKit();
  visitors = [];
});

afterEach(async () => {
  for (const visitor of visitors) visitor.leaves();
  await kit.down();
});

/** A customer who has opened the page. */
function visitor(how) {
  const one = new Visitor(kit, how);
  visitors.push(one);
  return one.arrives();
}

function posts(path) {
  return kit.requests.filter(({ method, path: asked }) => method === "POST" && asked.endsWith(path));
}

test("a page that is only looked at asks the kit for nothing", async () => {
  visitor();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(kit.requests.length, 0);
});

test("the first question begins a conversation and its answer arrives with sources and choices", async () => {
  const anna = visitor();
  anna.says("my router has a red light");
  await anna.hears("Restart the router");
  assert.deepEqual(anna.words[0], "my router has a red light");
  assert.equal(anna.state.entries[1].data.sources[0].slug, "router-red-light");
  assert.equal(anna.state.outbox.length, 0);
  assert.deepEqual(kit.newest.about, { page: "https://shop.example/", locale: "en" });
});

test("a pressed choice is sent as its payload and comes back as its title", async () => {
  const anna = visitor();
  anna.says("red light");
  await anna.hears("Restart the router");
  anna.session.choose(anna.state.entries[1].data.choices[2]);
  await anna.hears("Step 1 of 3");
  assert.equal(posts("/messages").at(-1).body.payload, '/start_guide{"article": "router-red-light"}');
  assert.equal(anna.words[2], "Take me through it");
});

test("messages leave one at a time in the order they were written", async () => {
  const anna = visitor();
  for (const words of ["one", "two", "three"]) anna.says(words);
  await anna.hears("You said: three");
  assert.deepEqual(posts("/messages").map(({ body }) => body.text), ["one", "two", "three"]);
});

test("a message that the kit could not take is tried again with the same client_id until it is acknowledged", async () => {
  kit.fail("/messages", { times: 2 });
  kit.fail("/messages", { times: 1, cut: true });
  const anna = visitor();
  anna.says("are you there");
  await anna.sees((state) => state.outbox[0]?.status === "unsent");
  await anna.hears("You said: are you there");
  const tries = posts("/messages").map(({ body }) => body.client_id);
  assert.equal(tries.length, 4);
  assert.equal(new Set(tries).size, 1);
});

test("an acknowledgement that got lost leaves one message, not two", async () => {
  kit.fail("/messages", { times: 1, cut: true, late: true });
  const anna = visitor();
  anna.says("only once");
  await anna.hears("You said: only once");
  await anna.sees(() => anna.changes.some(({ type }) => type === "acknowledged"));
  assert.equal(anna.words.filter((words) => words === "only once").length, 1);
  assert.equal(posts("/messages").length, 2);
});

test("the wait that the kit asks for is kept", async () => {
  kit.fail("/messages", { status: 429, code: "too_many", headers: { "Retry-After": "1" } });
  const anna = visitor();
  const began = Date.now();
  anna.says("slowly");
  await anna.hears("You said: slowly");
  assert.ok(Date.now() - began >= 1000);
});

test("a customer who writes very much at once is told so, not that something broke", async () => {
  kit.fail("/messages", { status: 429, code: "too_many", headers: { "Retry-After": "1" } });
  const anna = visitor();
  anna.says("a lot");
  await anna.sees((state) => state.outbox[0]?.status === "unsent");
  assert.equal(anna.state.outbox[0].code, "too_many");
  assert.notEqual(textFor("en").unsentCodes.too_many, textFor("en").unsent);
  await anna.hears("You said: a lot");
});

test("a stream that is refused for a while is asked for again when the kit said", async () => {
  kit.fail("/events", { status: 429, code: "too_many", headers: { "Retry-After": "1" } });
  const anna = visitor();
  const began = Date.now();
  anna.says("hello");
  await anna.hears("You said: hello");
  assert.ok(Date.now() - began >= 1000);
});

test("a customer whom the page names is told to the kit when a conversation begins, with a fresh identity each time", async () => {
  let asked = 0;
  const anna = visitor({ identity: async () => ((asked += 1), "good") });
  anna.says("hello");
  await anna.hears("You said: hello");
  assert.equal(asked, 1);
  assert.equal(anna.store.memory.token, "token-known");
  anna.session.startNew();
  anna.says("again");
  await anna.hears("You said: again");
  assert.equal(asked, 2);
});

test("an identity that is not taken does not keep a customer from writing", async () => {
  const anna = visitor({ identity: async () => "worn out" });
  anna.says("hello");
  await anna.hears("You said: hello");
  assert.deepEqual(posts("/api/conversations").map(({ body }) => body.identity), ["worn out", undefined]);
});

test("when the customer signs out of the site nothing of them stays in the browser", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  kit.fail("/messages", { times: 5 });
  anna.says("a secret");
  await anna.sees((state) => state.outbox[0]?.status === "unsent");
  anna.session.forget();
  assert.deepEqual(anna.store.unsent(), []);
  assert.deepEqual([anna.store.memory.token, anna.store.memory.conversation, anna.store.memory.continues], [null, null, null]);
  assert.deepEqual([anna.state.entries, anna.state.outbox], [[], []]);
});

test("a customer who cannot wait can try at once", async () => {
  kit.fail("/messages", { status: 429, code: "too_many", headers: { "Retry-After": "60" } });
  const anna = visitor();
  anna.says("hurry");
  await anna.sees((state) => state.outbox[0]?.status === "unsent");
  anna.session.hurry();
  await anna.hears("You said: hurry");
});

test("a message that the kit will never take is shown as refused, and the next one is sent all the same", async () => {
  const anna = visitor();
  anna.says("unacceptable");
  anna.says("fine");
  await anna.hears("You said: fine");
  assert.deepEqual(anna.state.outbox.map(({ item, status, code }) => [item.text, status, code]), [["unacceptable", "refused", "invalid"]]);
});

test("a message written while the kit is away survives a reload and arrives", async () => {
  const browser = new Browser();
  const anna = visitor({ browser });
  await kit.down();
  anna.says("is anybody there");
  await anna.sees((state) => state.outbox[0]?.status === "unsent");
  anna.leaves();
  await kit.up();
  const reloaded = visitor({ browser });
  await reloaded.hears("You said: is anybody there");
  assert.deepEqual(reloaded.store.unsent(), []);
});

test("after a reload the same conversation goes on with everything said before", async () => {
  const browser = new Browser();
  const anna = visitor({ browser });
  anna.says("hello");
  await anna.hears("You said: hello");
  anna.leaves();
  kit.act(kit.newest, { do: "say", text: "Are you still there?" });
  const reloaded = visitor({ browser });
  await reloaded.hears("Are you still there?");
  assert.deepEqual(reloaded.words, ["hello", "You said: hello", "Are you still there?"]);
  assert.equal(kit.conversations.size, 1);
});

test("after a break of the connection only what was missed is asked for", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  kit.dropStreams();
  kit.act(kit.newest, { do: "say", text: "You missed this" });
  await anna.hears("You missed this");
  const asked = kit.requests.filter(({ path }) => path.includes("/events?after=")).map(({ path }) => Number(path.split("after=")[1]));
  assert.deepEqual([asked[0], asked.at(-1)], [0, 2]);
  assert.equal(new Set(anna.state.entries.map(({ key }) => key)).size, 3);
});

test("a lost connection is shown, and that it came back", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.sees((state) => state.link === "live");
  await kit.down();
  await anna.sees((state) => state.link === "lost");
  await kit.up();
  await anna.sees((state) => state.link === "live");
});

test("a single break is mended without a word about it", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  kit.dropStreams("event: reconnect\ndata: {}\n\n");
  await anna.sees(() => kit.requests.filter(({ path }) => path.includes("/events")).length >= 2 && anna.state.link === "live");
  assert.ok(!anna.changes.some((change) => change.type === "link" && change.link === "lost"));
});

test("a stream that fell silent is left and read anew", async () => {
  const anna = visitor({ limits: { silence_ms: 60 } });
  anna.says("hello");
  await anna.hears("You said: hello");
  await anna.sees(() => kit.requests.filter(({ path }) => path.includes("/events")).length >= 3);
});

test("a message to a closed conversation goes to a new one that continues it", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  const first = kit.newest;
  first.owner = "closed";
  anna.says("one more thing");
  await anna.hears("You said: one more thing");
  assert.equal(kit.newest.about.continues, first.id);
  assert.equal(kit.newest.token, first.token);
  assert.deepEqual(anna.words.slice(0, 2), ["hello", "You said: hello"]);
  assert.ok(anna.state.entries.some(({ kind }) => kind === "continued"));
});

test("a choice of a closed conversation goes on as its words, since its payload belongs to the old one", async () => {
  const anna = visitor();
  anna.says("red light");
  await anna.hears("Restart the router");
  kit.newest.owner = "closed";
  anna.session.choose(anna.state.entries[1].data.choices[1]);
  await anna.hears("You said: No");
  assert.equal(posts("/messages").at(-1).body.text, "No");
});

test("starting anew after the end links the new conversation to the old one", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  const first = kit.newest;
  anna.session.ask("close");
  await anna.sees((state) => state.owner === "closed");
  anna.session.startNew();
  assert.deepEqual([anna.state.entries, anna.state.owner], [[], "bot"]);
  anna.says("again");
  await anna.hears("You said: again");
  assert.equal(kit.newest.about.continues, first.id);
});

for (const [name, spoil] of [
  ["an expired token", () => kit.tokens.clear()],
  ["a conversation that is gone", () => kit.conversations.clear()],
]) {
  test(`${name} loses no message: it begins a new conversation`, async () => {
    const anna = visitor();
    anna.says("hello");
    await anna.hears("You said: hello");
    spoil();
    anna.says("still here");
    await anna.hears("You said: still here");
    assert.ok(anna.state.entries.some(({ kind }) => kind === "expired"));
    assert.equal(anna.state.outbox.length, 0);
  });
}

test("a stream whose token expired ends and says so", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  kit.tokens.clear();
  kit.dropStreams();
  await anna.sees((state) => state.entries.at(-1).kind === "expired");
  assert.deepEqual([anna.state.conversation, anna.store.memory.token], [null, null]);
});

test("asking for a person, waiting, changing one's mind", async () => {
  const anna = visitor();
  anna.session.ask("handoff");
  await anna.sees((state) => state.owner === "queued" && state.queue?.position === 2);
  anna.session.ask("cancel-handoff");
  await anna.sees((state) => state.owner === "bot" && state.queue === null);
});

test("a person joins, types and writes; the customer's typing is told at most once in a while", async () => {
  const anna = visitor();
  anna.session.ask("handoff");
  await anna.sees((state) => state.owner === "queued");
  kit.act(kit.newest, { do: "accept" });
  await anna.sees((state) => state.agent === "Ada");
  kit.act(kit.newest, { do: "typing" });
  await anna.sees((state) => state.typing[0]?.name === "Ada");
  kit.act(kit.newest, { do: "say", text: "Hello" });
  await anna.sees((state) => state.typing.length === 0);
  await Promise.all([anna.session.tellTyping(), anna.session.tellTyping(), anna.session.tellTyping()]);
  assert.equal(kit.newest.typing, 1);
});

test("a sign of typing that nothing follows goes away by itself", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  kit.act(kit.newest, { do: "bot_typing" });
  await anna.sees((state) => state.typing.length === 1);
  await anna.sees((state) => state.typing.length === 0);
});

test("a rating is sent until it is taken", async () => {
  const anna = visitor();
  anna.says("hello");
  await anna.hears("You said: hello");
  anna.session.ask("close");
  await anna.sees((state) => state.survey?.answered === false);
  kit.fail("/survey", { times: 2 });
  anna.session.rate(4, "quick");
  await anna.sees((state) => state.survey?.answered && state.survey.score === 4);
  assert.deepEqual(posts("/survey").at(-1).body, { question: "csat", score: 4, comment: "quick" });
});

test("a closed conversation is not followed again until somebody looks", async () => {
  const browser = new Browser();
  const anna = visitor({ browser });
  anna.says("hello");
  await anna.hears("You said: hello");
  anna.session.ask("close");
  await anna.sees((state) => state.survey !== null);
  anna.leaves();
  const before = kit.requests.length;
  const later = visitor({ browser });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(kit.requests.length, before);
  later.session.opened();
  await later.sees((state) => state.owner === "closed" && state.entries.length > 0);
});

test("what was read in an earlier visit is not new in the next", async () => {
  const browser = new Browser();
  const anna = visitor({ browser });
  anna.says("hello");
  await anna.hears("You said: hello");
  anna.session.markRead(2);
  anna.leaves();
  kit.act(kit.newest, { do: "say", text: "news" });
  const later = visitor({ browser });
  await later.hears("news");
  assert.equal(later.state.read, 2);
});

/** How tabs share where none of them takes over by itself. */
function patient(browser) {
  return { browser, sharing: true, times: { silent_ms: 60_000 } };
}

test("tabs of one browser share one stream and show the same", async () => {
  const browser = new Browser();
  const first = visitor(patient(browser));
  first.says("hello");
  await first.hears("You said: hello");
  const second = visitor(patient(browser));
  await second.hears("You said: hello");
  second.says("from the other tab");
  await first.hears("You said: from the other tab");
  await second.hears("You said: from the other tab");
  assert.equal(kit.streams, 1);
  assert.deepEqual(first.words, second.words);
});

test("a tab that missed something notices at the next event and fetches it", async () => {
  const browser = new Browser();
  const first = visitor(patient(browser));
  first.says("hello");
  await first.hears("You said: hello");
  const second = visitor(patient(browser));
  await second.sees((state) => state.link === "live");
  const tell = first.tabs.tell;
  first.tabs.tell = () => {};
  kit.act(kit.newest, { do: "say", text: "not passed on" });
  await first.hears("not passed on");
  first.tabs.tell = tell;
  kit.act(kit.newest, { do: "say", text: "passed on" });
  await second.hears("passed on");
  assert.deepEqual(second.words, first.words);
});

test("a tab that comes later learns the place in the queue", async () => {
  const browser = new Browser();
  const first = visitor(patient(browser));
  first.session.ask("handoff");
  await first.sees((state) => state.queue?.position === 2);
  kit.act(kit.newest, { do: "queue", queue: { position: 1, wait_low_s: 5, wait_high_s: 50 } });
  await first.sees((state) => state.queue.position === 1);
  kit.newest.queue = null;
  const second = visitor(patient(browser));
  await second.sees((state) => state.queue?.position === 1);
});

test("when the tab that reads is closed another one takes over and misses nothing", async () => {
  const browser = new Browser();
  const first = visitor({ browser, sharing: true });
  first.says("hello");
  await first.hears("You said: hello");
  const second = visitor({ browser, sharing: true });
  await second.hears("You said: hello");
  first.leaves();
  kit.act(kit.newest, { do: "say", text: "said in between" });
  await second.hears("said in between");
  assert.equal(second.tabs.leading, true);
});

test("a tab takes the stream over from one that fell silent", async () => {
  const browser = new Browser();
  const first = visitor({ browser, sharing: true });
  first.says("hello");
  await first.hears("You said: hello");
  // A frozen tab holds its lock and says nothing more.
  first.tabs.tell = () => {};
  const second = visitor({ browser, sharing: true });
  await second.sees(() => second.tabs.leading);
  kit.act(kit.newest, { do: "say", text: "to the one that listens" });
  await second.hears("to the one that listens");
});

test("two tabs that begin at once end up in one conversation", async () => {
  const browser = new Browser();
  const tabs = [visitor({ browser, sharing: true }), visitor({ browser, sharing: true })];
  tabs.forEach((tab, number) => tab.says(`tab ${number}`));
  for (const tab of tabs) for (const number of [0, 1]) await tab.hears(`You said: tab ${number}`);
  assert.equal(kit.conversations.size, 1);
});

test("a tab hears that another one began anew", async () => {
  const browser = new Browser();
  const [first, second] = [visitor({ browser, sharing: true }), visitor({ browser, sharing: true })];
  first.says("hello");
  await second.hears("You said: hello");
  first.session.ask("close");
  await second.sees((state) => state.owner === "closed");
  first.session.startNew();
  await second.sees((state) => state.entries.length === 0);
});
