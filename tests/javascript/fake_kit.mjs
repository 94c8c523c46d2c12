/**
 * A kit in memory with the customer's side of the contract: real HTTP, scripted replies, and failures on request.
 *
 * Tests start it with `startFakeKit()`. By hand: `node tests/javascript/fake_kit.mjs 7200 [7201]` serves the kit on the first port and the shop
 * page, as another origin, on the second; `POST /fake {"conversation": …, "do": "accept"}` and the like play the agent.
 */

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { replyTo } from "./fake_replies.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDERS = { "/widget/": "widget/chat/static/", "/shop/": "widget/shop/static/", "/static/": "widget/static/" };
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };
const STRICT =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const CORS = { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "authorization, content-type", "Access-Control-Expose-Headers": "Retry-After" };
const LONGEST = 8000;

/** An error in the one shape. */
class Refusal extends Error {
  constructor(status, code, headers = {}) {
    super(code);
    Object.assign(this, { status, code, headers });
  }
}

export class FakeKit {
  conversations = new Map();
  tokens = new Set();
  /** Every request that arrived: {method, path, token, body}. */
  requests = [];
  /** Failures in wait: {match, times, status, code, headers} or {match, times, cut: true}. */
  failures = [];
  /** What `GET /api/brand` says. */
  brand = { name: null, logo: null, colours: null, greeting: null, tone: "friendly", topics: [], email: null, hours: { open: true, opens_at: null } };
  reply_ms = 0;
  beat_ms = 15_000;
  #server = null;
  #port = 0;
  #made = 0;
  #sockets = new Set();
  #timers = new Set();

  get url() {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async up(port = this.#port) {
    this.#server = createServer((request, response) => this.#serve(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.#port = this.#server.address().port;
  }

  /** Goes away as a killed process does; what it stored stays. */
  async down() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    for (const timer of this.#timers) clearTimeout(timer);
    await closed;
  }

  /** Lets the next `times` requests whose method and path contain `match` fail. `late`: it is done first, only the answer is lost. */
  fail(match, { times = 1, status = 503, code = "unavailable", headers = {}, cut = false, late = false } = {}) {
    this.failures.push({ match, times, status, code, headers, cut, late });
  }

  /** Ends all streams; with `frame`, after a last word. */
  dropStreams(frame = null) {
    for (const conversation of this.conversations.values()) {
      for (const listener of conversation.listeners) {
        conversation.listeners.delete(listener);
        listener.end(frame ?? undefined);
      }
    }
  }

  get streams() {
    return [...this.conversations.values()].reduce((sum, conversation) => sum + conversation.listeners.size, 0);
  }

  get counts() {
    const events = [...this.conversations.values()].flatMap((conversation) => conversation.events);
    return { conversations: this.conversations.size, streams: this.streams, messages: events.filter(({ data }) => data.author === "customer").length };
  }

  /** The newest conversation. */
  get newest() {
    return [...this.conversations.values()].at(-1);
  }

  /** Adds a numbered event and tells the listeners. */
  add(conversation, type, data) {
    const event = { seq: conversation.events.length + 1, type, at: new Date().toISOString(), data };
    conversation.events.push(event);
    for (const listener of conversation.listeners) listener.write(numbered(event));
    return event;
  }

  /** Sends a frame without a number. */
  whisper(conversation, event, data) {
    for (const listener of conversation.listeners) listener.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  own(conversation, owner, reason, agent = null) {
    conversation.owner = owner;
    conversation.agent = agent;
    conversation.queue = owner === "queued" ? { position: 2, wait_low_s: 60, wait_high_s: 240 } : null;
    this.add(conversation, "owner", { owner, reason, ...(agent ? { agent } : {}) });
    if (conversation.queue) this.whisper(conversation, "queue", conversation.queue);
    if (owner === "closed") this.add(conversation, "survey", { state: "asked", question: "csat" });
  }

  /** What somebody else does in a conversation. */
  act(conversation, { do: what, text, name = "Ada", reason, queue }) {
    const agent = { name };
    if (what === "accept") this.own(conversation, "agent", "agent_accepted", agent);
    else if (what === "say") this.add(conversation, "message", { author: "agent", name, text });
    else if (what === "typing") this.whisper(conversation, "typing", { author: "agent", name });
    else if (what === "bot_typing") this.whisper(conversation, "typing", { author: "bot", name: null });
    else if (what === "queue") this.whisper(conversation, "queue", (conversation.queue = queue));
    else if (what === "close") this.own(conversation, "closed", reason ?? "closed_by_agent");
    else if (what === "return") this.own(conversation, "bot", "returned_to_bot");
    else if (what === "message") this.add(conversation, "message", { author: "bot", ...text });
    else throw new Refusal(422, "invalid");
  }

  async #serve(request, response) {
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      json(response, error.status, { error: { code: error.code, message: error.code, detail: null } }, error.headers);
    }
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    const path = url.pathname;
    if (request.method === "OPTIONS") return response.writeHead(204, { ...CORS, "Access-Control-Allow-Methods": "GET, POST" }).end();
    if (path === "/fake-counts") return json(response, 200, this.counts);
    if (!path.startsWith("/api/") && path !== "/fake") return this.#file(path, response);
    const body = await bodyOf(request);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? null;
    this.requests.push({ method: request.method, path: path + url.search, token, body });
    const failure = this.#failure(`${request.method} ${path}`);
    if (failure && !failure.late) return this.#failed(failure, request);
    if (path === "/fake") return this.#play(body, response);
    this.#api({ method: request.method, path, url, token, body, stream: request.headers.accept === "text/event-stream" }, failure ? null : response);
    if (failure) this.#failed(failure, request);
  }

  #failure(what) {
    const failure = this.failures.find(({ match, times }) => times > 0 && what.includes(match));
    if (failure) failure.times -= 1;
    return failure;
  }

  #failed({ status, code, headers, cut }, request) {
    if (!cut) throw new Refusal(status, code, headers);
    request.socket.destroy();
  }

  #play(body, response) {
    if (body.do === "fail") this.fail(body.match, body);
    else if (body.do === "drop") this.dropStreams();
    else if (body.do === "brand") Object.assign(this.brand, body.brand);
    else if (body.do === "reply_ms") this.reply_ms = body.ms;
    else this.act(this.conversations.get(body.conversation) ?? this.newest, body);
    json(response, 200, { conversation: this.newest?.id ?? null });
  }

  #api({ method, path, url, token, body, stream }, response) {
    if (path === "/api/brand") return json(response, this.brand ? 200 : 404, this.brand ?? { error: { code: "not_found", message: "", detail: null } });
    if (path === "/api/conversations" && method === "POST") return this.#begin(token, body, response);
    const [, id, action] = /^\/api\/conversations\/([^/]+)(?:\/([a-z-]+))?$/.exec(path) ?? [];
    if (!token || !this.tokens.has(token)) throw new Refusal(401, token ? "token_expired" : "unauthorized");
    const conversation = this.conversations.get(id);
    if (!conversation || conversation.token !== token) throw new Refusal(404, "not_found");
    if (method === "GET" && !action) return json(response, 200, summary(conversation));
    if (method === "GET" && action === "events") return this.#events(conversation, Number(url.searchParams.get("after")), stream, response);
    if (action === "messages") return this.#message(conversation, body, response);
    this.#control(conversation, action, body, response);
  }

  #begin(token, body, response) {
    if (token && !this.tokens.has(token)) throw new Refusal(401, "token_expired");
    if (body.identity && body.identity !== "good") throw new Refusal(422, "invalid");
    if (body.continues && !this.conversations.has(body.continues)) throw new Refusal(404, "not_found");
    this.#made += 1;
    const visitor = body.identity ? "token-known" : (token ?? `token-${this.#made}`);
    const id = `conversation-${this.#made}`;
    this.tokens.add(visitor);
    this.conversations.set(id, { id, token: visitor, about: body, owner: "bot", agent: null, queue: null, events: [], listeners: new Set(), accepted: new Map(), typing: 0, state: {} });
    json(response, 201, { conversation: { id, owner: "bot" }, token: visitor });
  }

  #events(conversation, after, stream, response) {
    const missed = conversation.events.filter(({ seq }) => seq > after);
    if (!stream) return json(response, 200, { events: missed.slice(0, 200), last: conversation.events.length });
    response.writeHead(200, { ...CORS, "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(": hello\n\n");
    for (const event of missed) response.write(numbered(event));
    if (conversation.queue) response.write(`event: queue\ndata: ${JSON.stringify(conversation.queue)}\n\n`);
    const beat = setInterval(() => response.write(": beat\n\n"), this.beat_ms);
    conversation.listeners.add(response);
    response.on("close", () => {
      clearInterval(beat);
      conversation.listeners.delete(response);
    });
  }

  #message(conversation, body, response) {
    const { client_id, text, payload } = body;
    const words = JSON.stringify([text, payload]);
    const before = conversation.accepted.get(client_id);
    if (before) {
      if (before.words !== words) throw new Refusal(409, "client_id_reused");
      return json(response, 200, { seq: before.seq });
    }
    if (conversation.owner === "closed") throw new Refusal(409, "conversation_closed");
    if (text !== undefined && [...text].length > LONGEST) throw new Refusal(413, "too_large");
    const choice = payload && conversation.events.flatMap(({ data }) => data.choices ?? []).find((offered) => offered.payload === payload);
    if (text === "unacceptable" || (payload && !choice)) throw new Refusal(422, "invalid");
    const { seq } = this.add(conversation, "message", { author: "customer", text: choice?.title ?? text, client_id });
    conversation.accepted.set(client_id, { words, seq });
    json(response, 202, { seq });
    this.#reply(conversation, choice?.payload ?? text);
  }

  #reply(conversation, words) {
    if (conversation.owner === "agent") return;
    const reply = replyTo(words, conversation);
    this.whisper(conversation, "typing", { author: "bot", name: null });
    const speak = () => {
      for (const message of reply.messages) this.add(conversation, "message", { author: "bot", ...message });
      if (reply.owner) this.own(conversation, reply.owner, reply.reason);
    };
    this.#timers.add(setTimeout(speak, this.reply_ms));
  }

  #control(conversation, action, body, response) {
    if (action === "typing") conversation.typing += 1;
    else if (action === "handoff" && conversation.owner === "closed") throw new Refusal(409, "conversation_closed");
    else if (action === "handoff" && conversation.owner === "bot") this.own(conversation, "queued", "customer_asked");
    else if (action === "cancel-handoff" && conversation.owner === "queued") this.own(conversation, "bot", "customer_cancelled");
    else if (action === "close" && conversation.owner !== "closed") this.own(conversation, "closed", "closed_by_customer");
    else if (action === "survey") this.add(conversation, "survey", { state: "answered", ...body });
    if (action === "typing") return response?.writeHead(204, CORS).end();
    json(response, 200, action === "survey" ? {} : { id: conversation.id, owner: conversation.owner, last: conversation.events.length });
  }

  async #file(path, response) {
    const wanted = path === "/shop/" ? "/shop/index.html" : path;
    const prefix = Object.keys(FOLDERS).find((folder) => wanted.startsWith(folder));
    const file = prefix && join(ROOT, FOLDERS[prefix], normalize(wanted.slice(prefix.length)));
    const type = file && TYPES[extname(file)];
    const content = type && (await readFile(file).catch(() => null));
    if (!content) return response.writeHead(404, CORS).end();
    const text = wanted === "/shop/index.html" ? String(content).replaceAll("http://127.0.0.1:8000", "") : content;
    response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": STRICT, "Cache-Control": "no-cache", ...CORS }).end(text);
  }
}

/** @returns {Promise<FakeKit>} */
export async function startFakeKit(port = 0) {
  const kit = new FakeKit();
  await kit.up(port);
  return kit;
}

/** Serves the shop page from an origin of its own, pointing at `kit`. @returns the server */
export async function startShop(kit, port = 0) {
  const server = createServer(async (request, response) => {
    const name = request.url === "/" ? "index.html" : normalize(request.url.slice(1));
    const content = await readFile(join(ROOT, "widget/shop/static", name)).catch(() => null);
    if (!content || !TYPES[extname(name)]) return response.writeHead(404).end();
    const text = name === "index.html" ? String(content).replaceAll("http://127.0.0.1:8000", kit.url.slice(0, -1)) : content;
    response.writeHead(200, { "Content-Type": TYPES[extname(name)] }).end(text);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

function numbered(event) {
  return `id: ${event.seq}\nevent: event\ndata: ${JSON.stringify(event)}\n\n`;
}

function summary({ id, owner, queue, agent, events }) {
  return { id, owner, queue, agent, last: events.length };
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : null;
}

function json(response, status, body, headers = {}) {
  response?.writeHead(status, { ...CORS, "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kit = await startFakeKit(Number(process.argv[2] ?? 7200));
  kit.reply_ms = Number(process.argv[4] ?? 500);
  const shop = await startShop(kit, Number(process.argv[3] ?? 0));
  console.log(JSON.stringify({ kit: kit.url, shop: `http://127.0.0.1:${shop.address().port}/` }));
}
