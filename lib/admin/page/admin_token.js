// @ts-check
/// <reference lib="dom" />

/** Name of the token in the tab's storage. */
const KEY = "kingbus.token";

/**
 * The token that the page sends: typed by its user, kept in the tab until that
 * is closed, never in an address and never sent elsewhere.
 */
export class AdminToken {
  #value = "";

  constructor() {
    try {
      this.#value = sessionStorage.getItem(KEY) ?? "";
    } catch {
      // A browser that forbids storage: kept in memory alone.
    }
  }

  /** True when there is one. */
  get given() {
    return this.#value !== "";
  }

  /**
   * Keeps another one; none when it is empty.
   *
   * @param {string} value
   * @returns {string} the one of before
   */
  set(value) {
    const before = this.#value;
    this.#value = value.trim();
    try {
      if (this.#value === "") sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, this.#value);
    } catch {
      // as above
    }
    return before;
  }

  /**
   * The headers of a request, with the token if there is one.
   *
   * @param {Record<string, string>} [more]
   * @returns {Record<string, string>}
   */
  headers(more = {}) {
    return this.given
      ? { ...more, authorization: `Bearer ${this.#value}` }
      : more;
  }
}

/**
 * Whether a header can carry a text as token.
 *
 * @param {string} text
 * @returns {boolean}
 */
export function isTokenText(text) {
  return /^[\x21-\x7e]+$/.test(text.trim());
}
