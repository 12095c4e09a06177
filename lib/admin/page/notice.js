// @ts-check
/// <reference lib="dom" />
import { byId, setShown, setText } from "./dom.js";

/** How long one stands there. */
const NOTICE_MS = 8000;

/**
 * Says what came of something that the user did.
 *
 * @param {string} text
 */
export function notify(text) {
  const place = byId("notice", HTMLElement);
  setShown(place, true);
  setText(place, text);
  setTimeout(() => {
    if (place.textContent === text) setShown(place, false);
  }, NOTICE_MS);
}
