/**
 * What the widget knows, and how it changes. Pure: a state and a change in, a new state out; nothing is altered in place.
 *
 * @typedef {import("./chat-client.js").ChatEvent} ChatEvent
 * @typedef {import("./chat-client.js").Snapshot} Snapshot
 * @typedef {import("./chat-client.js").Queue} Queue
 * @typedef {import("./chat-store.js").Unsent} Unsent
 * @typedef {"bot" | "queued" | "agent" | "closed"} Owner
 * @typedef {"idle" | "connecting" | "live" | "lost"} Link
 * @typedef {{item: Unsent, status: "sending" | "unsent" | "sent" | "refused", code: string | null}} Outgoing
 * @typedef {{key: string, kind: "message" | "owner" | "continued" | "expired", conversation: string | null, seq: number, at: string | null,
 *   data: Record<string, any>}} Entry
 * @typedef {{author: string, name: string | null}} Typing
 * @typedef {{score: number | null, comment: string | null, answered: boolean}} Survey
 * @typedef {object} ChatState
 * @property {boolean} open the panel is open
 * @property {string} draft
 * @property {Link} link how the stream is doing
 * @property {string | null} conversation
 * @property {number} last number of the newest event taken
 * @property {number} settled events up to this number are history: who holds the conversation came with the snapshot
 * @property {Owner} owner
 * @property {string | null} agent name of the person who holds the conversation
 * @property {Queue | null} queue
 * @property {Typing[]} typing
 * @property {Survey | null} survey
 * @property {Entry[]} entries
 * @property {Outgoing[]} outbox
 * @property {number} read number of the newest event the customer has seen
 * @property {boolean} trouble the kit has just refused to do something
 * @property {import("./chat-brand.js").Brand | null} brand
 *
 * @typedef {{type: "restored", draft: string, open: boolean}
 *   | {type: "panel", open: boolean}
 *   | {type: "draft", draft: string}
 *   | {type: "link", link: Link}
 *   | {type: "started", conversation: string, owner: string, continues: boolean}
 *   | {type: "snapshot", snapshot: Snapshot, read: number}
 *   | {type: "event", conversation: string, event: ChatEvent}
 *   | {type: "typing", author: string, name: string | null}
 *   | {type: "typing_over", author: string}
 *   | {type: "queue", queue: Queue}
 *   | {type: "outgoing", item: Unsent}
 *   | {type: "unsent", client_id: string, code: string}
 *   | {type: "discarded", client_id: string}
 *   | {type: "acknowledged", client_id: string, seq: number | null}
 *   | {type: "refused", client_id: string, code: string}
 *   | {type: "read", read: number}
 *   | {type: "brand", brand: import("./chat-brand.js").Brand | null}
 *   | {type: "expired"} | {type: "fresh"}} Change
 */

/** What the kit takes in one message, in characters as Python counts them. */
export const TEXT_LIMIT = 8000;
/** From here on the customer sees how much room is left. */
export const COUNT_FROM = 7500;

/** @returns {ChatState} */
export function initialState() {
  return { open: false, draft: "", entries: [], outbox: [], ...noConversation(), link: "idle", trouble: false, brand: null };
}

/** What is known of a conversation before its first event. @returns {Omit<ChatState, "open" | "draft" | "entries" | "outbox" | "link" | "trouble" | "brand">} */
function noConversation() {
  return { conversation: null, last: 0, settled: 0, owner: "bot", agent: null, queue: null, typing: [], survey: null, read: 0 };
}

/** @param {ChatState} state @param {Change} change @returns {ChatState} */
export function reduce(state, change) {
  switch (change.type) {
    case "restored":
      return { ...state, draft: change.draft, open: change.open };
    case "panel":
      return { ...state, open: change.open };
    case "draft":
      return { ...state, draft: change.draft };
    case "link":
      return { ...state, link: change.link };
    case "started":
      return started(state, change);
    case "snapshot":
      return snapshot(state, change.snapshot, change.read);
    case "event":
      return change.conversation === state.conversation ? event(state, change.event) : state;
    case "typing":
      return { ...state, typing: [...others(state, change.author), { author: change.author, name: change.name }] };
    case "typing_over":
      return { ...state, typing: others(state, change.author) };
    case "queue":
      return { ...state, queue: change.queue };
    case "outgoing":
      return { ...state, trouble: false, outbox: [...state.outbox, { item: change.item, status: "sending", code: null }] };
    case "unsent":
      return marked(state, change.client_id, { status: "unsent", code: change.code });
    case "acknowledged":
      return acknowledged(state, change.client_id, change.seq);
    case "refused":
      return refused(state, change.client_id, change.code);
    case "discarded":
      return { ...state, outbox: without(state, change.client_id) };
    case "read":
      return { ...state, read: Math.max(state.read, change.read) };
    case "brand":
      return { ...state, brand: change.brand };
    case "expired":
      return { ...state, ...noConversation(), link: "idle", entries: [...state.entries, line(state, "expired")] };
    case "fresh":
      return { ...state, ...noConversation(), link: "idle", entries: [], outbox: state.outbox.filter((out) => out.status !== "refused") };
  }
}

/** @param {ChatState} state @param {{conversation: string, owner: string, continues: boolean}} change */
function started(state, { conversation, owner, continues }) {
  const entries = continues && state.entries.length > 0 ? [...state.entries, line(state, "continued")] : state.entries;
  return { ...state, ...noConversation(), conversation, owner: asOwner(owner, state.owner), entries };
}

/** @param {ChatState} state @param {"continued" | "expired"} kind @returns {Entry} */
function line(state, kind) {
  return { key: `${kind}:${state.conversation}:${state.entries.length}`, kind, conversation: null, seq: 0, at: null, data: {} };
}

/** @param {ChatState} state @param {Snapshot} found @param {number} read @returns {ChatState} */
function snapshot(state, found, read) {
  const known = found.id === state.conversation ? state : { ...state, ...noConversation(), entries: [] };
  return {
    ...known,
    conversation: found.id,
    settled: Math.max(known.settled, found.last),
    owner: asOwner(found.owner, known.owner),
    agent: found.agent?.name ?? null,
    queue: found.queue ?? null,
    read: Math.max(known.read, read),
  };
}

/** @param {ChatState} state @param {ChatEvent} event @returns {ChatState} */
function event(state, { seq, type, at, data }) {
  if (seq <= state.last) return state;
  const next = { ...state, last: seq };
  if (type === "message") return message(next, seq, at, data);
  if (type === "owner") return owner(next, seq, at, data);
  if (type === "survey") return survey(next, data);
  return next;
}

/** @param {ChatState} state @param {number} seq @param {string} at @param {Record<string, any>} data @returns {ChatState} */
function message(state, seq, at, data) {
  const key = data.client_id ? `own:${data.client_id}` : `${state.conversation}:${seq}`;
  const entry = /** @type {Entry} */ ({ key, kind: "message", conversation: state.conversation, seq, at, data });
  const outbox = data.client_id ? without(state, data.client_id) : state.outbox;
  return { ...state, entries: [...state.entries, entry], outbox, typing: others(state, data.author) };
}

/** @param {ChatState} state @param {number} seq @param {string} at @param {Record<string, any>} data @returns {ChatState} */
function owner(state, seq, at, data) {
  const entry = /** @type {Entry} */ ({ key: `${state.conversation}:${seq}`, kind: "owner", conversation: state.conversation, seq, at, data });
  const next = { ...state, entries: [...state.entries, entry] };
  if (seq <= state.settled) return next;
  const holder = asOwner(data.owner, state.owner);
  return { ...next, owner: holder, agent: holder === "agent" ? (data.agent?.name ?? null) : null, queue: holder === "queued" ? state.queue : null, typing: [] };
}

/** @param {ChatState} state @param {Record<string, any>} data @returns {ChatState} */
function survey(state, data) {
  return { ...state, survey: { score: data.score ?? null, comment: data.comment ?? null, answered: data.state === "answered" } };
}

/**
 * A message stays in sight until its event comes; of a rating there is nothing to wait for; the rest shows in what it brings about.
 * @param {ChatState} state @param {string} client_id @param {number | null} seq @returns {ChatState}
 */
function acknowledged(state, client_id, seq) {
  const out = state.outbox.find((other) => other.item.client_id === client_id);
  if (out?.item.path === "messages" && (seq === null || seq > state.last)) return marked(state, client_id, { status: "sent" });
  const next = { ...state, outbox: without(state, client_id) };
  if (out?.item.path !== "survey" || out.item.conversation !== state.conversation) return next;
  return { ...next, survey: { score: out.item.score ?? null, comment: out.item.comment ?? null, answered: true } };
}

/** A refused message stays, so that its words are not lost. @param {ChatState} state @param {string} client_id @param {string} code @returns {ChatState} */
function refused(state, client_id, code) {
  const out = state.outbox.find((other) => other.item.client_id === client_id);
  if (out?.item.path === "messages") return marked(state, client_id, { status: "refused", code });
  return { ...state, outbox: without(state, client_id), trouble: true };
}

/** @param {ChatState} state @param {string} client_id @param {Partial<Outgoing>} marks @returns {ChatState} */
function marked(state, client_id, marks) {
  return { ...state, outbox: state.outbox.map((out) => (out.item.client_id === client_id ? { ...out, ...marks } : out)) };
}

/** @param {ChatState} state @param {string} client_id */
function without(state, client_id) {
  return state.outbox.filter((out) => out.item.client_id !== client_id);
}

/** @param {ChatState} state @param {string} author */
function others(state, author) {
  return state.typing.filter((typing) => typing.author !== author);
}

/** @param {unknown} value @param {Owner} fallback @returns {Owner} */
function asOwner(value, fallback) {
  return value === "bot" || value === "queued" || value === "agent" || value === "closed" ? value : fallback;
}

/** What was sent and is not part of the conversation yet, in order. @param {ChatState} state */
export function pendingMessages(state) {
  return state.outbox.filter((out) => out.item.path === "messages");
}

/** Whether a change tells that the bot has been asked, and has not answered yet. @param {ChatState} state before it @param {Change} change */
export function awaitsBot(state, change) {
  if (change.type !== "acknowledged" || state.owner !== "bot" || (change.seq ?? 0) < state.last) return false;
  // Its event may have come before the answer to the call.
  const own = state.entries.at(-1)?.data.client_id === change.client_id;
  return own || pendingMessages(state).some((out) => out.item.client_id === change.client_id);
}

/** Whether something of that kind is on its way. @param {ChatState} state @param {Unsent["path"]} path */
export function isPending(state, path) {
  return state.outbox.some((out) => out.item.path === path);
}

/** Whether something that shows nowhere else could not be sent and is being tried again. @param {ChatState} state */
export function isHeldUp(state) {
  return state.outbox.some((out) => out.status === "unsent" && out.item.path !== "messages");
}

/**
 * The message whose choices can be pressed: the newest of the bot, while it may still answer. A message of the customer after it
 * has used them up, except in the queue, where the bot may stay silent.
 * @param {ChatState} state @returns {string | null} its key
 */
export function liveChoices(state) {
  if (state.owner === "agent" || state.owner === "closed" || state.conversation === null) return null;
  if (pendingMessages(state).some((out) => out.status !== "refused")) return null;
  const spoken = state.entries.filter((entry) => entry.kind === "message" && entry.conversation === state.conversation);
  const newest = spoken.findLastIndex((entry) => entry.data.author === "bot");
  if (newest < 0) return null;
  const used = state.owner === "bot" && spoken.slice(newest + 1).some((entry) => entry.data.author === "customer");
  return used ? null : spoken[newest].key;
}

/** How many messages came that the customer has not seen. @param {ChatState} state */
export function unreadCount(state) {
  if (state.open) return 0;
  return state.entries.filter((entry) => isFromUs(entry) && entry.conversation === state.conversation && entry.seq > state.read).length;
}

/** @param {Entry} entry */
function isFromUs(entry) {
  return entry.kind === "message" && entry.data.author !== "customer";
}

/** The words as they are sent: without blanks around them and without what no text may hold. @param {string} draft */
export function clean(draft) {
  return draft.replaceAll("\0", "").replace(/\p{Surrogate}/gu, "\ufffd").trim();
}

/** How many characters may still be added; below zero the message is too long. @param {string} draft */
export function roomLeft(draft) {
  return TEXT_LIMIT - [...clean(draft)].length;
}
