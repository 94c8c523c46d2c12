/**
 * The calls of the widget to the kit. Nothing else in the widget fetches.
 *
 * Every call has a time limit and fails with one typed error, `ChatError`. Tokens go in a header, never in an address; no cookies.
 */

import { EventStreamParser } from "./event-stream.js";

/** @typedef {import("./event-stream.js").Frame} Frame */
/** @typedef {{position: number, wait_low_s: number | null, wait_high_s: number | null}} Queue */
/** @typedef {{id: string, owner: string, queue?: Queue | null, agent?: {name: string} | null, last: number}} Snapshot */
/** @typedef {{seq: number, type: string, at: string, data: Record<string, any>}} ChatEvent */

/** The kit did not do what was asked. `status` is 0 when it could not be reached; `retry_after_s` is what it asked us to wait. */
export class ChatError extends Error {
  /** @param {string} code @param {{status?: number, retry_after_s?: number | null, cause?: unknown}} [more] */
  constructor(code, { status = 0, retry_after_s = null, cause } = {}) {
    super(`${code} (${status})`, { cause });
    this.name = "ChatError";
    this.code = code;
    this.status = status;
    this.retry_after_s = retry_after_s;
  }

  /** Whether the same call may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** Whether the token or the conversation is of no use any more. */
  get gone() {
    return this.status === 401 || this.status === 404;
  }
}

export class ChatClient {
  #kit;
  #timeout_ms;
  #silence_ms;

  /**
   * @param {string} kit base address with a slash at its end
   * @param {{timeout_ms?: number, silence_ms?: number}} [limits] of one call; of a stream without a sign of life (the kit sends one every 15 s)
   */
  constructor(kit, { timeout_ms = 10_000, silence_ms = 40_000 } = {}) {
    this.#kit = kit;
    this.#timeout_ms = timeout_ms;
    this.#silence_ms = silence_ms;
  }

  /**
   * @param {string | null} token of an earlier conversation, so that the visitor stays the same
   * @param {{page?: string, locale?: string, continues?: string, identity?: string}} about @param {AbortSignal} signal
   * @returns {Promise<{conversation: {id: string, owner: string}, token: string}>}
   */
  createConversation(token, about, signal) {
    return this.#json(this.#request("api/conversations", token, about), signal);
  }

  /** The company's name, colours, words and hours, as the kit says them. @param {AbortSignal} signal @returns {Promise<unknown>} */
  brand(signal) {
    return this.#json(this.#request("api/brand", null), signal);
  }

  /** @param {string | null} token @param {string} id @param {AbortSignal} signal @returns {Promise<Snapshot>} */
  conversation(token, id, signal) {
    return this.#json(this.#request(path(id), token), signal);
  }

  /** @param {string | null} token @param {string} id @param {number} after @param {AbortSignal} signal @returns {Promise<{events: ChatEvent[], last: number}>} */
  events(token, id, after, signal) {
    return this.#json(this.#request(`${path(id)}/events?after=${after}`, token), signal);
  }

  /**
   * Does one thing in a conversation: `action` is messages, handoff, cancel-handoff, close, typing or survey.
   * @param {string | null} token @param {string} id @param {string} action @param {object} body @param {AbortSignal} signal
   * @returns {Promise<any>} null for an empty answer
   */
  act(token, id, action, body, signal) {
    return this.#json(this.#request(`${path(id)}/${action}`, token, body), signal);
  }

  /**
   * Reads the stream of a conversation from after event number `after`. The first frame is named "open". Ends when the kit ends it.
   * @param {string | null} token @param {string} id @param {number} after @param {AbortSignal} signal
   * @returns {AsyncGenerator<Frame>}
   */
  async *stream(token, id, after, signal) {
    const limit = timeLimit(signal, this.#timeout_ms);
    try {
      const request = this.#request(`${path(id)}/events?after=${after}`, token, undefined, "text/event-stream");
      const response = await this.#fetch(request, limit.signal);
      if (!response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new ChatError("unreadable");
      limit.start(this.#silence_ms);
      yield { event: "open", data: "", id: null };
      yield* this.#frames(response.body, limit);
    } finally {
      limit.end();
    }
  }

  /** @param {ReadableStream<Uint8Array>} body @param {TimeLimit} limit @returns {AsyncGenerator<Frame>} */
  async *#frames(body, limit) {
    const parser = new EventStreamParser();
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch(unreachable);
        if (done) return;
        limit.start(this.#silence_ms);
        yield* parser.push(value);
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  /** @param {string} where @param {string | null} token @param {object} [body] @param {string} [accept] */
  #request(where, token, body, accept = "application/json") {
    const headers = new Headers({ Accept: accept });
    if (token) headers.set("Authorization", `Bearer ${token}`);
    if (body) headers.set("Content-Type", "application/json");
    const method = body ? "POST" : "GET";
    return new Request(new URL(where, this.#kit), { method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store" });
  }

  /** @param {Request} request @param {AbortSignal} outer @returns {Promise<any>} */
  async #json(request, outer) {
    const limit = timeLimit(outer, this.#timeout_ms);
    try {
      const response = await this.#fetch(request, limit.signal);
      const text = await response.text().catch(unreachable);
      return text === "" ? null : parse(text);
    } finally {
      limit.end();
    }
  }

  /** @param {Request} request @param {AbortSignal} signal @returns {Promise<Response>} */
  async #fetch(request, signal) {
    const response = await fetch(request, { signal }).catch(unreachable);
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/** @param {string} id */
function path(id) {
  return `api/conversations/${encodeURIComponent(id)}`;
}

/** A connection that broke, was refused or took too long. @param {unknown} cause @returns {never} */
function unreachable(cause) {
  throw new ChatError("unreachable", { cause });
}

/** @param {string} text @returns {any} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // A page of somebody's proxy or hotel network in place of the kit's answer.
    throw new ChatError("unreadable", { cause });
  }
}

/** @param {Response} response @returns {Promise<ChatError>} */
async function refusal(response) {
  const text = await response.text().catch(() => "");
  const wait = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const more = { status: response.status, retry_after_s: Number.isNaN(wait) ? null : wait };
  try {
    return new ChatError(String(JSON.parse(text).error.code), more);
  } catch (cause) {
    return new ChatError("unreadable", { ...more, cause });
  }
}

/** @typedef {{signal: AbortSignal, start: (ms: number) => void, end: () => void}} TimeLimit */

/**
 * A signal that aborts with `outer` or when the time set last is over. (`AbortSignal.any` is missing in browsers of 2023.)
 * @param {AbortSignal} outer @param {number} ms
 * @returns {TimeLimit}
 */
function timeLimit(outer, ms) {
  const controller = new AbortController();
  const stop = () => controller.abort();
  let timer = setTimeout(stop, ms);
  outer.addEventListener("abort", stop, { once: true });
  if (outer.aborted) stop();
  return {
    signal: controller.signal,
    start(next_ms) {
      clearTimeout(timer);
      timer = setTimeout(stop, next_ms);
    },
    end() {
      clearTimeout(timer);
      outer.removeEventListener("abort", stop);
    },
  };
}
