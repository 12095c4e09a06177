// @ts-check
/// <reference lib="dom" />
import { make } from "./dom.js";

/**
 * A button at the end of a table's row, for an action that asks first: quiet,
 * since each row has one.
 *
 * @param {string} text
 * @param {() => void} onPress
 * @returns {HTMLButtonElement}
 */
export function rowButton(text, onPress) {
  const button = make(
    "button",
    { type: "button", class: "row-button", "data-action": "" },
    text,
  );
  button.addEventListener("click", onPress);
  return button;
}
