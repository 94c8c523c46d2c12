/** The brand: what is taken from the kit's answer, which colours follow, what is said out of hours. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { backLine, brandFrom, brandStyle, greetingOf } from "../../widget/chat/static/chat-brand.js";
import { ChatClient, ChatError } from "../../widget/chat/static/chat-client.js";
import { initialState, reduce } from "../../widget/chat/static/chat-state.js";
import { ChatStore, MemoryStorage } from "../../widget/chat/static/chat-store.js";
import { textFor } from "../../widget/chat/static/chat-text.js";
import { startFakeKit } from "./fake_kit.mjs";

process.env.TZ = "Europe/Berlin";

const text = textFor("en-GB");
const tones = (brand) => ({ brand, "brand-strong": brand, "brand-soft": "#eeeeee", "on-brand": "#ffffff" });
const SAID = {
  name: "Kestrel Lamps",
  logo: "/brand/logo?v=1",
  colours: { light: tones("#b3361e"), dark: tones("#ff9966") },
  greeting: "Hello!",
  tone: "formal",
  topics: [{ slug: "lamp", title: "My lamp is dark" }, { slug: "shade" }, null],
  email: "help@kestrel.example",
  hours: { open: false, opens_at: "2026-11-23T08:00:00Z" },
};

test("what the kit says is taken over, topics by their titles", () => {
  const brand = brandFrom(SAID);
  assert.deepEqual(brand.topics, ["My lamp is dark"]);
  assert.deepEqual([brand.name, brand.logo, brand.greeting, brand.tone, brand.email], ["Kestrel Lamps", "/brand/logo?v=1", "Hello!", "formal", "help@kestrel.example"]);
  assert.deepEqual(brand.hours, { open: false, opens_at: "2026-11-23T08:00:00Z" });
});

for (const said of [null, undefined, "brand", 7]) {
  test(`${JSON.stringify(said)} is no brand`, () => assert.equal(brandFrom(said), null));
}

test("of what is damaged the rest is taken", () => {
  const brand = brandFrom({ name: 7, logo: {}, colours: { light: tones("#b3361e"), dark: tones("red") }, greeting: " ", tone: "jolly", topics: "lamp", email: [], hours: "closed" });
  const nothing = { name: null, logo: null, colours: null, greeting: null, tone: "friendly", topics: [], email: null, hours: { open: true, opens_at: null } };
  assert.deepEqual(brand, nothing);
});

test("colours go over the widget's own, in both schemes, and the page's properties over them", () => {
  const style = brandStyle(brandFrom(SAID));
  const [light, dark] = style.split("@media (prefers-color-scheme: dark)");
  assert.ok(light.includes("--brand: var(--td-brand, #b3361e);"));
  assert.ok(dark.startsWith(" { :host { --brand: var(--td-brand, #ff9966);"));
  for (const scheme of ["light", "dark"]) assert.ok(style.includes(`:host([theme="${scheme}"])`));
  assert.equal(brandStyle(null), "");
});

test("a colour that would break out of its rule is none", () => {
  const brand = brandFrom({ ...SAID, colours: { light: tones("#b3361e"), dark: tones("#fff;} * { display: none") } });
  assert.equal(brandStyle(brand), "");
});

test("the greeting is the brand's, else one for its tone", () => {
  assert.equal(greetingOf(text, brandFrom(SAID)), "Hello!");
  assert.match(greetingOf(text, brandFrom({ ...SAID, greeting: null })), /^Good day/);
  assert.equal(greetingOf(text, brandFrom({ tone: "friendly" })), text.greeting);
  assert.equal(greetingOf(text, null), text.greeting);
});

for (const [opens_at, now, words] of [
  ["2026-11-23T08:00:00Z", "2026-11-22T20:00:00Z", "We are back tomorrow at 9:00."],
  ["2026-11-23T08:00:00Z", "2026-11-21T20:00:00Z", "We are back Monday at 9:00."],
  ["2026-11-23T13:30:00Z", "2026-11-23T11:30:00Z", "We are back today at 14:30."],
  ["2026-11-23T08:00:00Z", "2026-11-22T23:30:00Z", "We are back today at 9:00."], // half past midnight in Berlin
  ["2027-01-04T08:00:00Z", "2026-12-23T20:00:00Z", "We are back Monday 4 January at 9:00."],
  ["2026-03-30T07:00:00Z", "2026-03-28T20:00:00Z", "We are back Monday at 9:00."], // clocks change in between
  [null, "2026-11-21T20:00:00Z", "Nobody is here just now."],
  ["soon", "2026-11-21T20:00:00Z", "Nobody is here just now."],
]) {
  test(`out of hours: ${words}`, () => {
    const said = backLine(text, { open: false, opens_at }, new Date(now), "en-GB");
    assert.equal(said.replace("at 09:", "at 9:").replace(",", ""), words);
  });
}

test("times are the reader's own, and words stay in one language", () => {
  const hours = { open: false, opens_at: "2026-11-23T13:30:00Z" };
  const now = new Date("2026-11-21T20:00:00Z");
  assert.match(backLine(text, hours, now, "en-US"), /^We are back Monday at 2:30\sPM\.$/);
  assert.equal(backLine(text, hours, now, "de-DE"), "We are back Monday at 14:30.");
});

test("nothing is said while somebody is here, nor once the time has come", () => {
  assert.equal(backLine(text, null, new Date(), "en"), null);
  assert.equal(backLine(text, { open: true, opens_at: null }, new Date(), "en"), null);
  assert.equal(backLine(text, { open: false, opens_at: "2026-11-23T08:00:00Z" }, new Date("2026-11-23T08:00:00Z"), "en"), null);
});

test("the brand stays through a new conversation", () => {
  const brand = brandFrom(SAID);
  const state = reduce(reduce(initialState(), { type: "brand", brand }), { type: "fresh" });
  assert.equal(state.brand, brand);
});

test("a browser keeps it per kit, and what is damaged there counts as nothing", () => {
  const lasting = new MemoryStorage();
  const store = (kit) => new ChatStore({ lasting, passing: new MemoryStorage(), kit });
  store("https://one.example/").brand = { at: 5, brand: SAID };
  assert.deepEqual(store("https://one.example/").brand, { at: 5, brand: SAID });
  assert.equal(store("https://two.example/").brand, null);
  lasting.setItem("support-chat:https://two.example/:brand", "{");
  assert.equal(store("https://two.example/").brand, null);
});

test("the kit is asked without a token; away, it fails as every call does", async () => {
  const kit = await startFakeKit();
  try {
    Object.assign(kit.brand, SAID);
    const client = new ChatClient(kit.url, { timeout_ms: 2000 });
    const { signal } = new AbortController();
    assert.deepEqual(await client.brand(signal), SAID);
    assert.equal(kit.requests.at(-1).token, null);
    kit.fail("/api/brand");
    await assert.rejects(client.brand(signal), ChatError);
  } finally {
    await kit.down();
  }
});
