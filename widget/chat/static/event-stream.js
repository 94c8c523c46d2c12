/**
 * Reads `text/event-stream`, chunk by chunk, into frames.
 *
 * Pure: bytes in, frames out. Follows the parsing rules of the HTML standard (section "Server-sent events"), with one addition:
 * a comment becomes a frame named "beat", because it shows that the connection lives.
 * @typedef {{event: string, data: string, id: string | null}} Frame
 */

export class EventStreamParser {
  #decoder = new TextDecoder();
  #rest = "";
  #event = "";
  /** @type {string[]} */
  #data = [];
  /** @type {string | null} */
  #id = null;

  /** Takes the next bytes and gives the frames they complete. @param {Uint8Array} bytes @returns {Frame[]} */
  push(bytes) {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    // A carriage return at the very end may be the first half of "\r\n": it waits for the next chunk.
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\r|\n/);
    this.#rest = lines.pop() + text.slice(whole.length);
    return lines.flatMap((line) => this.#line(line));
  }

  /** @param {string} line @returns {Frame[]} */
  #line(line) {
    if (line === "") return this.#finish();
    if (line.startsWith(":")) return [{ event: "beat", data: "", id: null }];
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return [];
  }

  /** @returns {Frame[]} */
  #finish() {
    const frame = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const complete = this.#data.length > 0;
    this.#event = "";
    this.#data = [];
    this.#id = null;
    return complete ? [frame] : [];
  }
}
