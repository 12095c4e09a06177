// @ts-check
/// <reference lib="dom" />
import { isTokenText } from "./admin_token.js";
import { byId, setShown, setText } from "./dom.js";

/** @import { AdminToken } from "./admin_token.js" */

/** Asks for the token that kingbus wants, or for another one. */
export class TokenDialog {
  #token;
  #onToken;
  #dialog = byId("token-dialog", HTMLDialogElement);
  #input = byId("token-input", HTMLInputElement);
  #error = byId("token-error", HTMLElement);
  #forget;

  /**
   * @param {AdminToken} token
   * @param {() => void} onToken called when there is another one, or none
   */
  constructor(token, onToken) {
    this.#token = token;
    this.#onToken = onToken;
    const form = this.#dialog.querySelector("form");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#use();
    });
    this.#forget = /** @type {HTMLElement} */ (
      this.#dialog.querySelector("[data-forget]")
    );
    this.#forget.addEventListener("click", () => {
      this.#dialog.close();
      token.set("");
      onToken();
    });
    this.#dialog.querySelector("[data-cancel]")?.addEventListener(
      "click",
      () => this.#dialog.close(),
    );
    this.#dialog.addEventListener("close", () => this.#input.value = "");
  }

  /**
   * Opens it, unless it or another one is open.
   *
   * @param {string} text what it is for
   * @param {string} [error] why the last one would not do
   */
  open(text, error = "") {
    if (document.querySelector("dialog[open]") !== null) return;
    setText(byId("token-text", HTMLElement), text);
    this.#fail(error);
    setShown(this.#forget, this.#token.given);
    this.#dialog.showModal();
    this.#input.focus();
  }

  #use() {
    if (!isTokenText(this.#input.value)) {
      this.#fail("A token has no spaces and only ASCII characters.");
      return;
    }
    this.#token.set(this.#input.value);
    this.#dialog.close();
    this.#onToken();
  }

  /** @param {string} error */
  #fail(error) {
    setText(this.#error, error);
    this.#input.setAttribute("aria-invalid", String(error !== ""));
  }
}
