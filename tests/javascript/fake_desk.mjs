/**
 * A desk of made-up conversations in memory, behind the kit's staff API over real HTTP: for the tests of the desk, and for looking at it.
 * Run alone (`node tests/javascript/fake_desk.mjs 7300`) it serves the page too; sign in as ada@example.org with "lovelace".
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";

export const ADA = { id: "s1", name: "Ada", email: "ada@example.org", role: "agent", away: false };
export const GRACE = { id: "s2", name: "Grace", email: "grace@example.org", role: "agent", away: false };
export const EVE = { id: "s3", name: "Eve", email: "eve@example.org", role: "editor", away: false };
/** Somebody whose password was made for them. */
export const NEW = { id: "s4", name: "Neo", email: "neo@example.org", role: "agent", away: false };
const PASSWORD = "lovelace";
const BREACHED = "password1";
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** An error of the API. */
class Refusal extends Error {
  constructor(status, code, detail = null) {
    super(code);
    Object.assign(this, { status, code, detail });
  }
}

export class FakeDesk {
  constructor() {
    /** @type {Map<string, any>} */
    this.conversations = new Map();
    /** @type {Map<string, {staff: any, csrf: string}>} */
    this.sessions = new Map();
    this.streams = new Set();
    /** What was asked, as "METHOD path". @type {string[]} */
    this.asked = [];
    /** What to do instead of answering, by a piece of "METHOD path"; each is used once. @type {{on: string, act: string}[]} */
    this.mischief = [];
    this.isDown = false;
    this.minutes = 0;
    this.noteCount = 0;
    /** By e-mail address. @type {Map<string, string>} */
    this.passwords = new Map();
    this.choosing = new Set([NEW.email]);
  }

  // --- the customer and others, for tests to move

  add(id, { owner = "queued", reason = "customer_asked", agent = null, page = "https://shop.example/routers", shown = [], transcript = [], waitedS = 5 } = {}) {
    const at = (s) => new Date(Date.now() - s * 1000).toISOString();
    const holder = agent && { id: agent.id, name: agent.name };
    const own = { id, owner, reason, agent: holder, page, locale: "en-GB", last: 0, last_message: null };
    const times = { created_at: at(waitedS + 90), queued_at: owner === "queued" ? at(waitedS) : null, updated_at: at(waitedS) };
    const conversation = { ...own, ...times, gaveUp: owner === "bot" ? null : reason, transcript: [], notes: [], shown, ids: new Map() };
    this.conversations.set(id, conversation);
    const start = waitedS + 80;
    transcript.forEach(([type, data], index) => this.append(conversation, type, data, at(start - (index * 60) / transcript.length)));
    conversation.updated_at = times.updated_at;
    this.change(id);
    return conversation;
  }

  says(id, text, author = "customer") {
    return this.append(this.conversations.get(id), "message", { author, text });
  }

  types(id) {
    this.tell("typing", { conversation_id: id });
  }

  takes(id, agent) {
    this.hand(this.conversations.get(id), "agent", "agent_accepted", agent);
  }

  expireSessions() {
    this.sessions.clear();
    this.cutStreams();
  }

  cutStreams() {
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  /** @param {string} on a piece of "METHOD path" @param {"drop"|"hang"|"lose_answer"|"500"|"429"|"403"|"413"} act */
  next(on, act) {
    this.mischief.push({ on, act });
  }

  append(conversation, type, data, at = new Date().toISOString()) {
    conversation.last += 1;
    const event = { seq: conversation.last, type, at, data };
    conversation.transcript.push(event);
    conversation.updated_at = at;
    if (type === "message") conversation.last_message = { author: data.author, text: data.text, at };
    this.change(conversation.id);
    return event.seq;
  }

  change(id, kind = "event") {
    this.tell("change", { conversation_id: id, kind, at: new Date().toISOString() });
  }

  tell(event, data) {
    for (const stream of this.streams) stream.write(`id: c${this.asked.length}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  hand(conversation, owner, reason, agent = null) {
    const holder = agent && { id: agent.id, name: agent.name };
    Object.assign(conversation, { owner, reason, agent: holder, queued_at: owner === "queued" ? new Date().toISOString() : null });
    this.append(conversation, "owner", { owner, reason, ...(holder ? { agent: { name: holder.name } } : {}) });
  }

  // --- the API

  answer(method, path, query, body, session) {
    if (path === "/api/session" && method === "POST") return this.signIn(body);
    if (!session) throw new Refusal(401, "unauthorized");
    if (path === "/api/session") return method === "DELETE" ? this.signOut(session) : [200, this.shape(session)];
    if (path === "/api/account/password") return this.changePassword(session, body);
    if (this.choosing.has(session.staff.email)) throw new Refusal(403, "password_choice_needed");
    if (path.startsWith("/api/account/sessions")) return this.ownSessions(method, path.split("/")[4], session, body);
    if (path === "/api/desk/presence") return this.presence(session.staff, body);
    if (path === "/api/desk/conversations") return [200, { conversations: this.list(query.get("owner")) }];
    const [, id, what] = /^\/api\/desk\/conversations\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const conversation = this.conversations.get(decodeURIComponent(id ?? ""));
    if (!conversation) throw new Refusal(404, "not_found");
    return what ? this.act(what, conversation, session.staff, body) : [200, detail(conversation)];
  }

  signIn({ email, password }) {
    const staff = [ADA, GRACE, EVE, NEW].find((person) => person.email === email);
    if (!staff || password !== this.passwordOf(staff)) throw new Refusal(401, "wrong_credentials");
    return this.begin(staff);
  }

  begin(staff, { browser = "Chrome", system = "Linux" } = {}) {
    const at = new Date(Date.now() - 60_000).toISOString();
    const session = { key: `k${Math.random()}`, staff: { ...staff }, csrf: `t${Math.random()}`, id: `o${this.sessions.size}`, browser, system, begun_at: at, used_at: at };
    this.sessions.set(session.key, session);
    return [200, this.shape(session), { "Set-Cookie": `session=${session.key}; HttpOnly; SameSite=Lax; Path=/` }];
  }

  passwordOf({ email }) {
    return this.passwords.get(email) ?? PASSWORD;
  }

  changePassword({ staff }, { current, new: chosen }) {
    if (chosen === BREACHED) throw new Refusal(422, "password_refused", { field: "password", reason: "breached" });
    if (current !== this.passwordOf(staff)) throw new Refusal(401, "wrong_credentials");
    this.passwords.set(staff.email, chosen);
    this.choosing.delete(staff.email);
    this.endSessions((session) => session.staff.id === staff.id);
    return this.begin(staff);
  }

  ownSessions(method, place, asking, { password }) {
    const own = (session) => session.staff.id === asking.staff.id;
    if (method === "GET") return [200, { sessions: [...this.sessions.values()].filter(own).map((session) => ownSession(session, asking)) }];
    if (password !== this.passwordOf(asking.staff)) throw new Refusal(401, "wrong_credentials");
    const id = place === "end-others" ? null : place;
    if (id && ![...this.sessions.values()].some((session) => own(session) && session.id === id)) throw new Refusal(404, "not_found");
    this.endSessions((session) => own(session) && (id ? session.id === id : session !== asking));
    return [204, null];
  }

  endSessions(which) {
    for (const [key, session] of this.sessions) if (which(session)) this.sessions.delete(key);
  }

  shape({ csrf, staff }) {
    return { csrf_token: csrf, staff, must_choose_password: this.choosing.has(staff.email) };
  }

  signOut(session) {
    this.sessions.delete(session.key);
    return [204, null];
  }

  presence(staff, { away }) {
    staff.away = away;
    const held = [...this.conversations.values()].filter(({ owner, agent }) => owner === "agent" && agent.id === staff.id);
    if (away) for (const conversation of held) this.giveUp(conversation, "agent_away");
    return [200, {}];
  }

  giveUp(conversation, reason) {
    this.hand(conversation, "queued", reason);
    conversation.gaveUp = reason;
  }

  list(owner) {
    return [...this.conversations.values()].filter((conversation) => conversation.owner === owner).map(summary);
  }

  act(what, conversation, staff, body) {
    const actions = {
      accept: () => this.accept(conversation, staff),
      messages: () => this.message(conversation, staff, body),
      notes: () => this.note(conversation, staff, body),
      transfer: () => this.transfer(conversation, staff, body),
      return: () => this.hand(conversation, "bot", "returned_to_bot"),
      close: () => this.hand(conversation, "closed", "closed_by_agent"),
      typing: () => [204, null],
    };
    if (!actions[what]) throw new Refusal(404, "not_found");
    return actions[what]() ?? [200, { conversation: summary(conversation) }];
  }

  accept(conversation, staff) {
    if (conversation.owner === "agent") throw new Refusal(409, "already_taken", { agent: conversation.agent });
    this.hand(conversation, "agent", "agent_accepted", staff);
  }

  message(conversation, staff, { client_id: clientId, text }) {
    const known = conversation.ids.get(clientId);
    if (known) return [200, { seq: known }];
    if (conversation.owner === "closed") throw new Refusal(409, "conversation_closed");
    if (conversation.owner === "agent" && conversation.agent.id !== staff.id) throw new Refusal(409, "already_taken", { agent: conversation.agent });
    if (conversation.owner !== "agent") this.hand(conversation, "agent", "agent_wrote_first", staff);
    const seq = this.append(conversation, "message", { author: "agent", name: staff.name, text });
    conversation.ids.set(clientId, seq);
    return [202, { seq }];
  }

  note(conversation, staff, { text }) {
    this.noteCount += 1;
    conversation.notes.push({ id: `n${this.noteCount}`, author: { id: staff.id, name: staff.name }, text, at: new Date().toISOString() });
    this.change(conversation.id, "note");
    return [201, {}];
  }

  transfer(conversation, staff, { note }) {
    if (note) this.note(conversation, staff, { text: note });
    this.giveUp(conversation, "transferred");
  }
}

function ownSession(session, asking) {
  const { id, browser, system, begun_at, used_at } = session;
  return { id, browser, system, begun_at, used_at, this: session === asking };
}

function summary({ gaveUp, transcript, notes, shown, ids, ...rest }) {
  return rest;
}

function detail(conversation) {
  const { gaveUp, transcript, notes, shown } = conversation;
  return { conversation: summary(conversation), reason: gaveUp, shown_articles: shown, transcript, notes };
}

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

async function serve(desk, request, response) {
  const url = new URL(request.url, "http://desk");
  const what = `${request.method} ${url.pathname}`;
  desk.asked.push(what);
  if (desk.isDown) return response.destroy();
  if (!url.pathname.startsWith("/api/")) return serveFile(url.pathname, response);
  const prank = desk.mischief.find(({ on }) => what.includes(on));
  if (prank) desk.mischief.splice(desk.mischief.indexOf(prank), 1);
  if (prank?.act === "drop") return response.destroy();
  if (prank?.act === "hang") return;
  const session = desk.sessions.get(/session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1]);
  const [status, body, headers] = await outcome(desk, request, url, session, prank);
  if (prank?.act === "lose_answer") return response.destroy();
  if (status === "stream") return openStream(desk, response);
  response.writeHead(status, { ...headers, "Content-Type": "application/json" });
  response.end(status === 204 ? undefined : JSON.stringify(body));
}

async function outcome(desk, request, url, session, prank) {
  try {
    if (Number(prank?.act)) throw new Refusal(Number(prank.act), prank.act === "413" ? "too_large" : "failed");
    const isWrite = !["GET", "HEAD"].includes(request.method);
    const isSignIn = url.pathname === "/api/session" && request.method === "POST";
    if (isWrite && !isSignIn && session && request.headers["x-csrf-token"] !== session.csrf) throw new Refusal(403, "csrf_failed");
    if (url.pathname === "/api/desk/events") {
      if (!session) throw new Refusal(401, "unauthorized");
      if (session.staff.role === "editor") throw new Refusal(403, "forbidden");
      if (desk.choosing.has(session.staff.email)) throw new Refusal(403, "password_choice_needed");
      return ["stream", null];
    }
    return desk.answer(request.method, url.pathname, url.searchParams, await bodyOf(request), session);
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    const headers = problem.status === 429 ? { "Retry-After": "0" } : {};
    return [problem.status, { error: { code: problem.code, message: problem.code, detail: problem.detail } }, headers];
  }
}

function openStream(desk, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.write(": beat\n\n");
  desk.streams.add(response);
  response.on("close", () => desk.streams.delete(response));
}

const ROOT = new URL("../../widget/", import.meta.url);

async function serveFile(path, response) {
  const places = { "/desk": "desk/templates/desk/desk.html", "/static/tokens.css": "static/tokens.css", "/brand/logo": "static/favicon.svg" };
  const place = places[path] ?? path.replace(/^\/desk\/static\//, "desk/static/");
  const file = await readFile(new URL(place.replaceAll("..", ""), ROOT)).catch(() => null);
  const type = TYPES[extname(place)] ?? "text/html";
  response.writeHead(file ? 200 : 404, { "Content-Type": type, "Content-Security-Policy": POLICY });
  response.end(file && type === "text/html" ? filledIn(String(file)) : (file ?? ""));
}

/** The page's template with what a brand would put into it. @param {string} page */
function filledIn(page) {
  const brand = { brand_name: "Hearthlink", brand_tone: "friendly", brand_address: "by first name", brand_logo: "/brand/logo", brand_style: "/static/tokens.css" };
  return page.replaceAll(/\{\{ (\w+)[^}]*\}\}/g, (_, name) => brand[name]);
}

/** @returns {Promise<{url: string, desk: FakeDesk, stop: () => Promise<void>}>} */
export async function startDesk(port = 0) {
  const desk = new FakeDesk();
  const server = createServer((request, response) => serve(desk, request, response));
  await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(null)));
  const stop = async () => {
    desk.cutStreams();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`, desk, stop };
}

/** A desk as it may look on a busy morning. */
export function furnish(desk) {
  const source = { slug: "router-red-light", section: "Step 1: Restart the router", title: "Router shows a red light", url: "/help/router-red-light#step-1", confidence: 0.93 };
  const node = (el, ...children) => ({ el, children: children.map((child) => (typeof child === "string" ? { el: "text", text: child } : child)) });
  const answer = {
    author: "bot",
    text: "Restart the router.",
    body: [
      node("p", "Restart the router; if the light stays ", node("strong", "red"), ", check the cable to the wall."),
      node("ol", node("li", "Pull the plug."), node("li", "Wait 30 seconds."), node("li", "Plug it in again.")),
    ],
    choices: [{ title: "Yes, thanks", payload: "/affirm" }, { title: "No", payload: "/deny" }],
    sources: [source],
    outcome: "answered",
  };
  const shown = [
    { slug: "router-red-light", title: "Router shows a red light", section: "Step 1: Restart the router", confidence: 0.93, opened: true, verdict: "not_solved" },
    { slug: "slow-wifi", title: "Wi-Fi is slow far from the router", section: "", confidence: 0.41, opened: false, verdict: null },
  ];
  const talk = [
    ["message", { author: "customer", text: "hello, the light on my router is red since this morning <b>help</b>" }],
    ["message", answer],
    ["message", { author: "customer", text: "No" }],
    ["message", { author: "bot", text: "I am sorry. I am passing you on to a colleague.", body: null, choices: [], sources: [], outcome: "handed_off" }],
    ["owner", { owner: "queued", reason: "not_solved" }],
    ["message", { author: "customer", text: "I restarted it three times already, nothing changes" }],
  ];
  const short = (words) => [["message", { author: "customer", text: words }], ["owner", { owner: "queued", reason: "customer_asked" }]];
  desk.begin(ADA, { browser: "Safari", system: "iPhone" });
  desk.begin(ADA, { browser: null, system: null });
  desk.add("c-91aa7f3a", { reason: "not_solved", waitedS: 252, shown, transcript: talk });
  desk.add("c-17bc02e4", { waitedS: 38, transcript: short("can I talk to somebody about my invoice please, there is an item on it that I never ordered, and it is not small either") });
  desk.add("c-55de9b10", { reason: "sensitive_topic", waitedS: 7, transcript: short("the thermostat got very hot and there was smoke") });
  desk.add("c-72c1d0de", { owner: "agent", agent: ADA, waitedS: 61, page: "https://shop.example/orders/1024", transcript: [...short("my parcel has not come"), ["owner", { owner: "agent", reason: "agent_accepted", agent: { name: "Ada" } }], ["message", { author: "agent", name: "Ada", text: "Hello! Let me look it up." }], ["message", { author: "customer", text: "thank you, order 1024" }]] });
  desk.add("c-08f7beef", { owner: "agent", agent: GRACE, waitedS: 400, transcript: short("how do I cancel") });
  desk.add("c-a1b2c3d4", { owner: "bot", reason: null, waitedS: 20, transcript: [["message", { author: "customer", text: "מה שעות הפתיחה שלכם?" }], ["message", { author: "bot", text: "I am not sure that I understand. Could you say it in other words?", outcome: "asked_again" }]] });
  desk.add("c-e0e0e0e0", { owner: "closed", reason: "closed_by_agent", agent: ADA, waitedS: 5000, transcript: [...short("thanks, that was all"), ["owner", { owner: "closed", reason: "closed_by_agent" }], ["survey", { state: "asked", question: "csat" }], ["survey", { state: "answered", question: "csat", score: 5, comment: "quick and kind" }]] });
}

/** A browser's cookies around the real fetch: node keeps none. */
export function cookieFetch() {
  let cookie = "";
  return async (address, options = {}) => {
    const response = await fetch(address, { ...options, headers: { ...options.headers, ...(cookie ? { Cookie: cookie } : {}) } });
    cookie = response.headers.get("Set-Cookie")?.split(";")[0] ?? cookie;
    return response;
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { url, desk } = await startDesk(Number(process.argv[2] ?? 7300));
  furnish(desk);
  console.log(`${url}/desk`);
}
