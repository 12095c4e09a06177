// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Steps on the document. Text becomes text, never markup; what has not changed
 * is not touched, so that a page that shows the same costs nothing.
 *
 * @module
 */

import { formatPlain, formatTime } from "./format.js";

/** Longest text shown when one points at something. */
const TITLE_CHARS_MAX = 1000;

/**
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Shows text that others have made up: cut to what fits, whole in the title.
 *
 * @param {HTMLElement} node
 * @param {string} text
 * @param {string} [otherwise] instead of no text
 */
export function setPlain(node, text, otherwise = "–") {
  const plain = formatPlain(text);
  setText(node, plain === "" ? otherwise : plain);
  setTitle(node, plain.length > 24 ? formatPlain(text, TITLE_CHARS_MAX) : "");
}

/**
 * @param {HTMLElement} node
 * @param {string} title
 */
export function setTitle(node, title) {
  if (node.title !== title) node.title = title;
}

/**
 * Shows or hides.
 *
 * @param {HTMLElement} node
 * @param {boolean} shown
 */
export function setShown(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/**
 * Shows a time: local, exact in the title.
 *
 * @param {HTMLElement} node
 * @param {string | undefined} iso RFC 3339
 * @param {Date} now
 * @param {string} [otherwise] instead of no time
 */
export function setTime(node, iso, now, otherwise = "–") {
  const time = iso === undefined ? undefined : new Date(iso);
  if (time === undefined || Number.isNaN(time.getTime())) {
    setText(node, otherwise);
    setTitle(node, "");
    return;
  }
  setText(node, formatTime(time, now));
  setTitle(node, time.toISOString());
}

/**
 * Colours a pill.
 *
 * @param {HTMLElement} node
 * @param {"good" | "warn" | "bad" | "none"} tone
 * @param {string} text
 */
export function setPill(node, tone, text) {
  setText(node, text);
  setTone(node, tone);
}

/**
 * Colours something.
 *
 * @param {HTMLElement} node
 * @param {"good" | "warn" | "bad" | "none"} tone
 */
export function setTone(node, tone) {
  if (node.dataset["tone"] !== tone) node.dataset["tone"] = tone;
}

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

/**
 * An element of the page by its id.
 *
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 * @throws {TypeError} when status.html has no such element.
 */
export function byId(id, kind) {
  const node = document.getElementById(id);
  if (node instanceof kind) return node;
  throw new TypeError(`status.html has no ${kind.name} "${id}"`);
}

/**
 * The place of a value in the page, its element with that `data-field`.
 *
 * @param {string} name
 * @returns {HTMLElement}
 * @throws {TypeError} when status.html has no such element.
 */
export function field(name) {
  const node = document.querySelector(`[data-field="${name}"]`);
  if (node instanceof HTMLElement) return node;
  throw new TypeError(`status.html has no field "${name}"`);
}

/**
 * A row of facts that is not always there.
 *
 * @param {string} name of its field, and of its `data-row`
 * @param {boolean} shown
 * @returns {HTMLElement} the field
 */
export function optionalField(name, shown) {
  const row = document.querySelector(`[data-row="${name}"]`);
  if (!(row instanceof HTMLElement)) {
    throw new TypeError(`status.html has no row "${name}"`);
  }
  setShown(row, shown);
  return field(name);
}
