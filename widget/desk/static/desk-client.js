/** The desk's API. This file alone fetches. Every call has a timeout and fails with one `DeskError`. */

import { frameReader } from "./desk-stream.js";

const TIMEOUT_MS = 15_000;
/** The server says something every 15 s; three silent spells mean the connection is dead without knowing it. */
const SILENCE_MS = 45_000;

export class DeskError extends Error {
  /**
   * @param {string} code the API's, or "unreachable"
   * @param {{status?: number, detail?: any, retryAfterS?: number}} [more]
   */
  constructor(code, { status = 0, detail = null, retryAfterS = 0 } = {}) {
    super(code);
    this.name = "DeskError";
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same call may work a little later: no connection, a busy or broken server. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export class DeskClient {
  /**
   * @param {string} [origin] empty for the page's own
   * @param {{fetch?: typeof fetch, timeoutMs?: number, silenceMs?: number}} [options] `fetch` where cookies are not the browser's business
   */
  constructor(origin = "", { fetch: fetching = (...args) => fetch(...args), timeoutMs = TIMEOUT_MS, silenceMs = SILENCE_MS } = {}) {
    this.origin = origin;
    this.fetching = fetching;
    this.timeoutMs = timeoutMs;
    this.silenceMs = silenceMs;
    this.csrfToken = "";
    /** How far the server's clock is ahead of ours; waiting times are counted on the server's. */
    this.clockAheadMs = 0;
  }

  async signIn(email, password) {
    return this.#remember(await this.#call("POST", "/api/session", { email, password }));
  }

  async session() {
    return this.#remember(await this.#call("GET", "/api/session"));
  }

  signOut() {
    return this.#write("DELETE", "/api/session");
  }

  /** Every other session ends; the answer's cookie and second token are this one's new ones. */
  async changePassword(current, chosen) {
    return this.#remember(await this.#write("PUT", "/api/account/password", { current, new: chosen }));
  }

  async ownSessions() {
    return (await this.#call("GET", "/api/account/sessions")).sessions;
  }

  endSession(id, password) {
    return this.#write("POST", `/api/account/sessions/${encodeURIComponent(id)}/end`, { password });
  }

  endOtherSessions(password) {
    return this.#write("POST", "/api/account/sessions/end-others", { password });
  }

  /** @param {"queued"|"agent"|"bot"|"closed"} owner */
  async list(owner) {
    return (await this.#call("GET", `/api/desk/conversations?${new URLSearchParams({ owner })}`)).conversations;
  }

  conversation(id) {
    return this.#call("GET", address(id));
  }

  accept(id) {
    return this.#write("POST", address(id, "accept"), {});
  }

  /** Safe to repeat for ever with the same `clientId`. */
  send(id, clientId, words) {
    return this.#write("POST", address(id, "messages"), { client_id: clientId, text: words });
  }

  note(id, words) {
    return this.#write("POST", address(id, "notes"), { text: words });
  }

  transfer(id, note) {
    return this.#write("POST", address(id, "transfer"), note ? { note } : {});
  }

  giveBack(id) {
    return this.#write("POST", address(id, "return"), {});
  }

  close(id, resolution, article) {
    return this.#write("POST", address(id, "close"), article ? { resolution, article } : { resolution });
  }

  typing(id) {
    return this.#write("POST", address(id, "typing"), {});
  }

  presence(away) {
    return this.#write("PUT", "/api/desk/presence", { away });
  }

  /**
   * Listen until the stream ends, falls silent or is given up. What happened before is not told: fetch it in `onOpen`.
   * @param {{signal: AbortSignal, onOpen: () => void, onFrame: (frame: {event: string, data: any}) => void}} options
   */
  async watch({ signal, onOpen, onFrame }) {
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    let silence = setTimeout(() => ended.abort(), this.timeoutMs);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => ended.abort(), this.silenceMs);
    };
    try {
      const response = await this.#fetch("/api/desk/events", { headers: { Accept: "text/event-stream" }, signal: either });
      heard();
      onOpen();
      await this.#readAll(response, frameReader(onFrame), heard);
    } finally {
      clearTimeout(silence);
      ended.abort();
    }
  }

  async #readAll(response, read, heard) {
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read().catch(unreachable);
      if (done) return;
      heard();
      read(decoder.decode(value, { stream: true }));
    }
  }

  #remember(answer) {
    this.csrfToken = answer.csrf_token;
    return { ...answer.staff, mustChoosePassword: Boolean(answer.must_choose_password) };
  }

  async #write(method, path, body) {
    try {
      return await this.#call(method, path, body);
    } catch (problem) {
      if (problem.status !== 403) throw problem;
      // Signing in again in another tab changed the session's token under us.
      const before = this.csrfToken;
      await this.session();
      if (this.csrfToken === before) throw problem;
      return this.#call(method, path, body);
    }
  }

  async #call(method, path, body) {
    const headers = { Accept: "application/json" };
    if (method !== "GET") headers["X-CSRF-Token"] = this.csrfToken;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const signal = AbortSignal.timeout(this.timeoutMs);
    const response = await this.#fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
    if (response.status === 204) return null;
    return response.json().catch(unreachable);
  }

  async #fetch(path, options) {
    const response = await this.fetching(this.origin + path, { credentials: "same-origin", cache: "no-store", ...options }).catch(unreachable);
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (Number.isFinite(date)) this.clockAheadMs = date - Date.now();
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

function address(id, what) {
  const path = `/api/desk/conversations/${encodeURIComponent(id)}`;
  return what ? `${path}/${what}` : path;
}

/** @returns {never} */
function unreachable() {
  throw new DeskError("unreachable");
}

async function refusal(response) {
  const body = await response.json().catch(() => null);
  const retryAfterS = Number(response.headers.get("Retry-After")) || 0;
  return new DeskError(body?.error?.code ?? "failed", { status: response.status, detail: body?.error?.detail, retryAfterS });
}
