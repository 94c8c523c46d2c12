/**
 * The desk's state: what is known, and how each thing that happens changes it. Pure; runs under node as well.
 *
 * @typedef {{id: string, name: string}} Person
 * @typedef {{author: string, text: string, at: string}} LastMessage
 * @typedef {{id: string, owner: "queued"|"agent"|"bot"|"closed", reason: string|null, agent: Person|null, created_at: string,
 *   queued_at: string|null, updated_at: string, page: string|null, locale: string|null, last: number, last_message: LastMessage|null,
 *   last_customer_message?: LastMessage|null}} Conversation
 * @typedef {{seq: number, type: string, at: string, data: any}} DeskEvent
 * @typedef {{id: string, author: Person, text: string, at: string}} Note
 * @typedef {{slug: string, title: string, section: string, confidence: number, opened: boolean, verdict: "solved"|"not_solved"|null}} ShownArticle
 * @typedef {{conversation: Conversation, reason: string|null, shown_articles: ShownArticle[], transcript: DeskEvent[], notes: Note[]}} Detail
 * @typedef {{conversationId: string, clientId: string, text: string, at: string, state: "sending"|"retrying"|"paused"|"sent", seq?: number}} Outgoing
 * @typedef {{id: string, begun_at: string, used_at: string, browser: string|null, system: string|null, this: boolean}} OwnSession
 * @typedef {typeof initialState} State
 */

/** How long a "typing" stands without another one. */
export const TYPING_MS = 6000;

export const VIEWS = ["todo", "bot", "colleagues", "closed"];

export const initialState = {
  phase: /** @type {"starting"|"signed_out"|"signed_in"} */ ("starting"),
  expired: false,
  signIn: { busy: false, problem: /** @type {string|null} */ (null), waitS: 0 },
  staff: /** @type {any} */ (null),
  link: /** @type {"connecting"|"live"|"lost"} */ ("connecting"),
  view: "todo",
  lists: /** @type {Record<string, Conversation[]|null>} */ ({ queued: null, agent: null, bot: null, closed: null }),
  openId: /** @type {string|null} */ (null),
  open: /** @type {Detail|null} */ (null),
  mode: /** @type {"reply"|"note"} */ ("reply"),
  /** Counts the drafts that came back: the box is to be read anew. */
  draftsReturned: 0,
  outbox: /** @type {Outgoing[]} */ ([]),
  typing: /** @type {Record<string, number>} */ ({}),
  notice: /** @type {{name: string, params: any, bad: boolean, number: number}|null} */ (null),
  dialog: /** @type {{kind: string, session?: OwnSession}|null} */ (null),
  busy: /** @type {string|null} */ (null),
  account: {
    shown: false,
    busy: false,
    /** Why the password was not changed. @type {string|null} */
    problem: null,
    /** Why a session was not ended. @type {string|null} */
    endProblem: null,
    waitS: 0,
    sessions: /** @type {OwnSession[]|null} */ (null),
  },
};

const changes = {
  signed_in: (state, { staff }) => ({ ...state, phase: "signed_in", expired: false, staff, signIn: initialState.signIn }),
  signed_out: (state) => ({ ...initialState, phase: "signed_out", notice: state.notice }),
  session_expired: (state) => ({
    ...state,
    phase: "signed_out",
    expired: true,
    dialog: null,
    busy: null,
    outbox: state.outbox.map((item) => (item.state === "sent" ? item : { ...item, state: "paused" })),
  }),
  sign_in_began: (state) => ({ ...state, signIn: { ...initialState.signIn, busy: true } }),
  sign_in_failed: (state, { problem, waitS = 0 }) => ({ ...state, phase: "signed_out", signIn: { busy: false, problem, waitS } }),
  away_changed: (state, { away }) => ({ ...state, staff: { ...state.staff, away } }),

  choice_needed: (state) => ({ ...state, staff: { ...state.staff, mustChoosePassword: true } }),
  account_opened: (state) => ({ ...state, account: { ...initialState.account, shown: true } }),
  account_left: (state) => (state.account.shown ? { ...state, account: initialState.account } : state),
  password_sent: (state) => ({ ...state, account: { ...state.account, busy: true, problem: null } }),
  password_refused: (state, { problem, waitS }) => ({ ...state, account: { ...state.account, busy: false, problem, waitS } }),
  password_changed: (state, { staff }) => ({ ...state, staff, account: { ...state.account, busy: false, problem: null } }),
  end_refused: (state, { problem, waitS = 0 }) => ({ ...state, account: { ...state.account, endProblem: problem, waitS } }),
  sessions_came: (state, { sessions }) => ({ ...state, account: { ...state.account, sessions } }),

  link_changed: (state, { link }) => (state.link === link ? state : { ...state, link }),
  list_came: (state, { owner, conversations }) => ({ ...state, lists: { ...state.lists, [owner]: conversations } }),
  view_chosen: (state, { view }) => ({ ...state, view }),

  conversation_opened: (state, { id }) =>
    state.openId === id ? state : { ...state, openId: id, open: null, mode: "reply", dialog: null, busy: null },
  conversation_left: (state) => ({ ...state, openId: null, open: null, dialog: null, busy: null }),
  detail_came: (state, { detail }) => {
    if (detail.conversation.id !== state.openId) return state; // another one was opened meanwhile
    return { ...state, open: detail, outbox: withoutArrived(state.outbox, detail) };
  },
  mode_chosen: (state, { mode }) => ({ ...state, mode }),

  draft_returned: (state) => ({ ...state, draftsReturned: state.draftsReturned + 1 }),

  outbox_restored: (state, { outbox }) => ({ ...state, outbox }),
  message_written: (state, { item }) => ({ ...state, outbox: [...state.outbox, item] }),
  message_changed: (state, { clientId, ...change }) => ({
    ...state,
    outbox: state.outbox.map((item) => (item.clientId === clientId ? { ...item, ...change } : item)),
  }),
  message_dropped: (state, { clientId }) => ({ ...state, outbox: state.outbox.filter((item) => item.clientId !== clientId) }),

  customer_typed: (state, { id, until }) => ({ ...state, typing: { ...state.typing, [id]: until } }),
  customer_stopped: (state, { id }) => {
    if (!(id in state.typing)) return state;
    const { [id]: stopped, ...typing } = state.typing;
    return { ...state, typing };
  },
  time_passed: (state, { now }) => {
    const standing = Object.entries(state.typing).filter(([, until]) => until > now);
    return standing.length === Object.keys(state.typing).length ? state : { ...state, typing: Object.fromEntries(standing) };
  },

  noticed: (state, { name, params = {}, bad = false }) => ({
    ...state,
    notice: { name, params, bad, number: (state.notice?.number ?? 0) + 1 },
  }),
  notice_read: (state) => ({ ...state, notice: null }),
  dialog_opened: (state, { kind, session }) => ({ ...state, dialog: { kind, session }, account: { ...state.account, endProblem: null } }),
  dialog_closed: (state) => ({ ...state, dialog: null }),
  work_began: (state, { what }) => ({ ...state, busy: what }),
  work_ended: (state) => ({ ...state, busy: null }),
};

/**
 * @param {State} state
 * @param {{type: string} & Record<string, any>} action
 * @returns {State} the new state; the old one is not touched
 */
export function reduce(state, action) {
  const change = changes[action.type];
  if (!change) throw new Error(`no such action: ${action.type}`);
  return change(state, action);
}

function withoutArrived(outbox, detail) {
  const { conversation, transcript } = detail;
  const ours = new Set(transcript.map((event) => event.data?.client_id).filter(Boolean));
  const last = transcript.at(-1)?.seq ?? 0;
  const arrived = (item) => item.conversationId === conversation.id && (ours.has(item.clientId) || (item.state === "sent" && item.seq <= last));
  return outbox.filter((item) => !arrived(item));
}

/** Whether this person may use the desk itself, and has nothing to do before. @param {State} state */
export function atDesk(state) {
  return ["agent", "administrator"].includes(state.staff?.role) && !state.staff.mustChoosePassword;
}

/** Whether the page of one's own account is shown: on request, or because nothing else is open. @param {State} state */
export function inAccount(state) {
  return state.phase === "signed_in" && (state.account.shown || !atDesk(state));
}

/** Those who wait, the longest first. @param {State} state */
export function waiting(state) {
  return [...(state.lists.queued ?? [])].sort((a, b) => order(a.queued_at ?? a.updated_at, b.queued_at ?? b.updated_at));
}

/** My conversations: those that wait for my reply first, then the latest. @param {State} state */
export function mine(state) {
  const held = (state.lists.agent ?? []).filter((conversation) => conversation.agent?.id === state.staff?.id);
  return held.sort((a, b) => Number(needsReply(b)) - Number(needsReply(a)) || order(b.updated_at, a.updated_at));
}

/** Conversations that colleagues hold, the latest first. @param {State} state */
export function colleagues(state) {
  return latestFirst((state.lists.agent ?? []).filter((conversation) => conversation.agent?.id !== state.staff?.id));
}

/** @param {Conversation[]} conversations */
export function latestFirst(conversations) {
  return [...conversations].sort((a, b) => order(b.updated_at, a.updated_at));
}

/** Whether the customer had the last word. @param {Conversation} conversation */
export function needsReply(conversation) {
  return conversation.last_message?.author === "customer";
}

function order(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** The API's lists that the chosen view shows. The first two are always wanted: they count. @param {State} state */
export function wantedLists(state) {
  return state.view === "bot" || state.view === "closed" ? ["queued", "agent", state.view] : ["queued", "agent"];
}

/**
 * What the agent may do with the open conversation.
 * @param {State} state
 * @returns {"reply"|"take"|"held"|"closed"|"none"} "take": writing takes it
 */
export function standing(state) {
  const conversation = state.open?.conversation;
  if (!conversation) return "none";
  if (conversation.owner === "closed") return "closed";
  if (conversation.owner !== "agent") return "take";
  return conversation.agent?.id === state.staff?.id ? "reply" : "held";
}

/** What may be written now: replies only where they would arrive. @param {State} state @returns {"reply"|"note"} */
export function writing(state) {
  const may = standing(state);
  return may === "held" || may === "closed" ? "note" : state.mode;
}

/**
 * Everything of the open conversation in the order of time: events, notes, and what is not sent yet at the end.
 * @param {State} state
 * @returns {{key: string, kind: string, at: string, event?: DeskEvent, note?: Note, item?: Outgoing}[]}
 */
export function timeline(state) {
  if (!state.open) return [];
  const events = state.open.transcript.map((event) => ({ key: `e${event.seq}`, kind: event.type, at: event.at, event }));
  const notes = state.open.notes.map((note) => ({ key: `n${note.id}`, kind: "note", at: note.at, note }));
  const unsent = state.outbox
    .filter((item) => item.conversationId === state.openId)
    .map((item) => ({ key: `o${item.clientId}`, kind: "outgoing", at: item.at, item }));
  return [...merged(events, notes), ...unsent];
}

// Events keep the order of their numbers even where two clocks disagree, so notes are put between them; nothing is sorted.
function merged(events, notes) {
  const result = [];
  const left = [...notes].sort((a, b) => order(a.at, b.at));
  for (const event of events) {
    while (left.length && left[0].at < event.at) result.push(left.shift());
    result.push(event);
  }
  return [...result, ...left];
}
