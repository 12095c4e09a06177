// @ts-check
/**
 * A stream of server-sent events, cut anywhere, as events.
 * (`EventSource` can't send the token that the stream may need.)
 *
 * @module
 */

/**
 * @typedef {object} ServerEvent
 * @property {string} name
 * @property {string} data
 */

/** How much of an event that has not ended yet is kept, in characters. */
const EVENT_CHARS_MAX = 64 * 1024 * 1024;

/**
 * Takes text as it comes and gives the events that are complete, as the HTML
 * standard's "event stream interpretation" says; ids and retries are ignored.
 */
export class EventParser {
  #rest = "";
  #name = "";
  /** @type {string[]} */
  #data = [];
  #dataChars = 0;
  /** True when the last chunk ended with a CR, whose LF may still come. */
  #afterReturn = false;

  /**
   * @param {string} text
   * @returns {ServerEvent[]}
   * @throws {RangeError} when an event is too large to be one of kingbus's.
   */
  push(text) {
    const chunk = this.#afterReturn && text.startsWith("\n")
      ? text.slice(1)
      : text;
    if (text !== "") this.#afterReturn = text.endsWith("\r");
    const lines = chunk.split(/\r\n|\n|\r/);
    lines[0] = this.#rest + (lines[0] ?? "");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length + this.#dataChars > EVENT_CHARS_MAX) {
      throw new RangeError("an event of the stream is too large");
    }
    /** @type {ServerEvent[]} */
    const events = [];
    for (const line of lines) {
      const event = this.#line(line);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /**
   * @param {string} line
   * @returns {ServerEvent | undefined}
   */
  #line(line) {
    if (line === "") return this.#end();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    if (field === "data") {
      this.#data.push(value);
      this.#dataChars += value.length;
    }
    return undefined;
  }

  /** @returns {ServerEvent | undefined} */
  #end() {
    const name = this.#name === "" ? "message" : this.#name;
    const data = this.#data;
    this.#name = "";
    this.#data = [];
    this.#dataChars = 0;
    return data.length === 0 ? undefined : { name, data: data.join("\n") };
  }
}
