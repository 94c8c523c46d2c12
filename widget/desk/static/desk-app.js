/** What the agent can do, and what happens by itself. Knows the API's client and the state, nothing of the page. */

import { Deliveries } from "./desk-deliveries.js";
import { Link } from "./desk-link.js";
import { coalesced } from "./desk-pace.js";
import { OwnAccount } from "./desk-own-account.js";
import { atDesk, inAccount, initialState, mine, reduce, standing, TYPING_MS, wantedLists, writing } from "./desk-state.js";

const TYPING_SENT_EVERY_MS = 3000;

export class DeskApp {
  /**
   * @param {{client: import("./desk-client.js").DeskClient, drafts: import("./desk-drafts.js").Drafts, now?: () => number,
   *   firstPauseMs?: number}} parts `firstPauseMs` is the first pause before something is tried again
   */
  constructor({ client, drafts, now = Date.now, firstPauseMs = 1000 }) {
    this.client = client;
    this.drafts = drafts;
    this.now = now;
    this.state = initialState;
    this.listeners = new Set();
    this.typingSentAt = 0;
    this.ended = new AbortController();
    this.deliveries = new Deliveries(this, firstPauseMs);
    this.link = new Link(this, firstPauseMs);
    this.account = new OwnAccount(this);
    this.refreshLists = coalesced(() => this.#fetchLists(), { firstPauseMs, isOver: () => !this.atWork });
    this.refreshOpen = coalesced(() => this.#fetchOpen(), { firstPauseMs, isOver: () => !this.atWork });
  }

  get signedIn() {
    return this.state.phase === "signed_in" && !this.ended.signal.aborted;
  }

  /** Signed in, and free to use the desk itself. */
  get atWork() {
    return this.signedIn && atDesk(this.state);
  }

  /** The server's clock, in ms. */
  serverNow() {
    return this.now() + this.client.clockAheadMs;
  }

  /** @param {(state: import("./desk-state.js").State, before: import("./desk-state.js").State) => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispatch(action) {
    const before = this.state;
    this.state = reduce(before, action);
    if (this.state === before) return;
    if (this.state.outbox !== before.outbox && this.state.staff) this.drafts.writeOutbox(this.state.outbox.filter((item) => item.state !== "sent"));
    for (const listener of this.listeners) listener(this.state, before);
  }

  /** Find out whether a session is there already. */
  async start() {
    try {
      this.enter(await this.client.session());
    } catch (problem) {
      const known = problem.status === 401;
      this.dispatch(known ? { type: "signed_out" } : signInFailed(problem));
    }
  }

  stop() {
    this.ended.abort();
    this.link.stop();
  }

  async signIn(email, password) {
    this.dispatch({ type: "sign_in_began" });
    try {
      this.enter(await this.client.signIn(email, password));
    } catch (problem) {
      this.dispatch(signInFailed(problem));
    }
  }

  async signOut() {
    await this.#work("sign_out", async () => {
      await this.client.signOut();
      this.link.stop();
      this.drafts.clear();
      this.dispatch({ type: "signed_out" });
    });
  }

  /** The session is over: sign in again, and everything goes on where it was. */
  expire() {
    if (this.state.phase !== "signed_in") return;
    this.link.stop();
    this.dispatch({ type: "session_expired" });
  }

  /** Signed in, but not as somebody who works at the desk, or not before they have chosen a password. */
  refuse(problem) {
    this.link.stop();
    if (problem.code === "password_choice_needed") return this.dispatch({ type: "choice_needed" });
    this.dispatch({ type: "signed_out" });
    this.dispatch({ type: "sign_in_failed", problem: "not_allowed" });
  }

  chooseView(view) {
    this.dispatch({ type: "view_chosen", view });
    this.refreshLists();
  }

  open(id) {
    this.dispatch({ type: "conversation_opened", id });
    if (this.atWork) this.refreshOpen();
  }

  leave() {
    this.dispatch({ type: "conversation_left" });
  }

  /** @returns {Promise<boolean>} whether it is mine now */
  accept() {
    return this.#change("accept", (id) => this.client.accept(id));
  }

  giveBack() {
    return this.#change("return", (id) => this.client.giveBack(id), "returned");
  }

  transfer(note) {
    return this.#change("transfer", (id) => this.client.transfer(id, note.trim()), "transferred");
  }

  close(resolution, article) {
    return this.#change("close", (id) => this.client.close(id, resolution, article), "closed");
  }

  /** Send what is written: to the customer, or as a note. @returns {Promise<boolean>} whether it was taken over */
  async write(words) {
    if (!words.trim() || !this.state.open) return false;
    const [id, mode] = [this.state.openId, writing(this.state)];
    if (mode === "note") return this.#change("note", () => this.client.note(id, words));
    this.drafts.write(id, "reply", "");
    this.deliveries.add(id, words);
    return true;
  }

  /** The agent's words changed: keep them, and tell the customer that somebody is typing. */
  typed(words) {
    const { openId } = this.state;
    if (!openId) return;
    const mode = writing(this.state);
    this.drafts.write(openId, mode, words);
    if (mode !== "reply" || standing(this.state) !== "reply" || !words.trim()) return;
    if (this.now() - this.typingSentAt < TYPING_SENT_EVERY_MS) return;
    this.typingSentAt = this.now();
    this.client.typing(openId).catch((problem) => this.failed(problem, { silently: true }));
  }

  chooseMode(mode) {
    this.dispatch({ type: "mode_chosen", mode });
  }

  draft() {
    return this.state.openId ? this.drafts.read(this.state.openId, writing(this.state)) : "";
  }

  /** Going away or signing out gives conversations back, so that is asked first. */
  askOrDo(kind) {
    if (mine(this.state).length) this.dispatch({ type: "dialog_opened", kind });
    else this.do(kind);
  }

  do(kind) {
    return kind === "sign_out" ? this.signOut() : this.setAway(true);
  }

  setAway(away) {
    return this.#work("away", async () => {
      await this.client.presence(away);
      this.dispatch({ type: "away_changed", away });
      this.dispatch({ type: "dialog_closed" });
      this.refreshLists();
      this.refreshOpen();
    });
  }

  /** One thing that the live stream told. */
  heard({ event, data }) {
    if (event === "typing" && data?.conversation_id) {
      this.dispatch({ type: "customer_typed", id: data.conversation_id, until: this.now() + TYPING_MS });
    }
    if (event !== "change") return;
    if (data?.kind === "event") this.dispatch({ type: "customer_stopped", id: data.conversation_id });
    this.refreshLists();
    if (data?.conversation_id === this.state.openId) this.refreshOpen();
  }

  refreshAll() {
    this.refreshLists();
    this.refreshOpen();
  }

  /** What a failed call means for the desk. Its own words come from the notice of that name. */
  failed(problem, { silently = false } = {}) {
    if (typeof problem?.status !== "number") throw problem; // a mistake of ours, not of the call
    if (problem.status === 401) return this.expire();
    if (problem.code === "password_choice_needed") return this.refuse(problem);
    if (silently) return;
    const known = ["already_taken", "not_found", "unreachable"].includes(problem.code);
    this.dispatch({ type: "noticed", name: known ? problem.code : "failed", params: problem.detail?.agent ?? {}, bad: true });
  }

  /** Somebody is signed in: go on where they were. */
  enter(staff) {
    const same = this.drafts.belongTo(staff.id);
    if (!same) this.dispatch({ type: "signed_out" });
    const resumed = this.state.outbox.length ? this.state.outbox : this.drafts.readOutbox();
    this.dispatch({ type: "signed_in", staff });
    this.dispatch({ type: "outbox_restored", outbox: resumed.map((item) => (item.state === "sent" ? item : { ...item, state: "sending" })) });
    if (inAccount(this.state)) this.account.refresh();
    if (!atDesk(this.state)) return;
    this.deliveries.resume();
    this.link.start();
  }

  async #fetchLists() {
    try {
      await Promise.all(
        wantedLists(this.state).map(async (owner) => this.dispatch({ type: "list_came", owner, conversations: await this.client.list(owner) })),
      );
    } catch (problem) {
      this.failed(problem, { silently: true });
      throw problem;
    }
  }

  async #fetchOpen() {
    const id = this.state.openId;
    if (!id) return;
    try {
      const detail = await this.client.conversation(id);
      const before = standing(this.state);
      this.dispatch({ type: "detail_came", detail });
      if (before === "reply" && standing(this.state) === "held") this.#tellGone(detail);
    } catch (problem) {
      if (problem.status === 404 && this.state.openId === id) {
        this.leave();
        this.dispatch({ type: "noticed", name: "not_found", bad: true });
        return;
      }
      this.failed(problem, { silently: true });
      throw problem;
    }
  }

  #tellGone({ conversation }) {
    this.dispatch({ type: "noticed", name: "gone", params: { name: conversation.agent?.name }, bad: true });
  }

  /** Change the open conversation; whatever comes of it, look at it again. */
  async #change(what, call, notice) {
    const id = this.state.openId;
    const mode = writing(this.state);
    if (!id || this.state.busy) return false;
    const done = await this.#work(what, async () => {
      await call(id);
      if (what === "note") this.drafts.write(id, mode, "");
      this.dispatch({ type: "dialog_closed" });
      if (notice) this.dispatch({ type: "noticed", name: notice });
    });
    if (this.signedIn) {
      this.refreshLists();
      await this.refreshOpen();
    }
    return done;
  }

  async #work(what, call) {
    this.dispatch({ type: "work_began", what });
    try {
      await call();
      return true;
    } catch (problem) {
      if (problem.code === "already_taken") this.dispatch({ type: "dialog_closed" });
      this.failed(problem);
      return false;
    } finally {
      this.dispatch({ type: "work_ended" });
    }
  }
}

/** What went wrong, and for how long to wait where that was said. */
function signInFailed(problem) {
  return { type: "sign_in_failed", problem: signInProblem(problem), waitS: problem.retryAfterS ?? 0 };
}

function signInProblem(problem) {
  if (problem.status === 429) return "rate_limited";
  return ["wrong_credentials", "password_expired", "unreachable"].includes(problem.code) ? problem.code : "other";
}
