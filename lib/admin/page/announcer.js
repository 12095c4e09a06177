// @ts-check
/// <reference lib="dom" />
import { byId, setText } from "./dom.js";

/**
 * Tells users of screen readers what has changed, in a sentence, when it is
 * something that everybody else would notice: never the numbers of each second.
 *
 * @param {string} sentence
 */
export function announce(sentence) {
  setText(byId("announcer", HTMLElement), sentence);
}
