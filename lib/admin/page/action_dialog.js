// @ts-check
/// <reference lib="dom" />
import { AdminRequestError } from "./admin_request.js";
import { isTokenText } from "./admin_token.js";
import { byId, setShown, setText } from "./dom.js";
import { formatPlain } from "./format.js";
import { notify } from "./notice.js";

/** @import { AdminToken } from "./admin_token.js" */

/**
 * @typedef {object} Action
 * @property {string} title
 * @property {string} text what will happen
 * @property {string} confirm the button that does it
 * @property {boolean} [isDangerous] it can't be undone
 * @property {Node} [body] what more has to be known for it
 * @property {() => Promise<string | undefined>} [run] does it, and says what
 *   came of it; the dialog stays open if that is nothing. Without it there is
 *   nothing to be done but to read.
 */

/** Says what will happen, and does it when that is confirmed. */
export class ActionDialog {
  #token;
  #dialog = byId("action-dialog", HTMLDialogElement);
  #confirm = byId("action-confirm", HTMLButtonElement);
  #error = byId("action-error", HTMLElement);
  #tokenPart = byId("action-token", HTMLElement);
  #tokenInput = byId("action-token-input", HTMLInputElement);
  #cancel;
  /** @type {Action["run"]} */
  #run;
  #isRunning = false;
  /** The token there was before the one that is tried. */
  #tokenBefore = "";

  /** @param {AdminToken} token */
  constructor(token) {
    this.#token = token;
    this.#cancel = /** @type {HTMLButtonElement} */ (
      this.#dialog.querySelector("[data-cancel]")
    );
    this.#cancel.addEventListener("click", () => this.#dialog.close());
    this.#dialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#dialog.addEventListener("close", () => this.#forget());
  }

  /**
   * Opens it, unless another one is open.
   *
   * @param {Action} action
   */
  open({ title, text, confirm, isDangerous = false, body, run }) {
    if (document.querySelector("dialog[open]") !== null) return;
    this.#run = run;
    setText(byId("action-title", HTMLElement), title);
    setText(byId("action-text", HTMLElement), text);
    byId("action-body", HTMLElement).replaceChildren(...body ? [body] : []);
    this.setConfirm(confirm, isDangerous);
    setShown(this.#cancel, run !== undefined);
    setShown(this.#tokenPart, run !== undefined && !this.#token.given);
    setText(this.#error, "");
    this.#dialog.showModal();
    // What can't be undone is not one press of Enter away.
    if (run !== undefined && body === undefined) this.#cancel.focus();
  }

  /**
   * Says what the button does now.
   *
   * @param {string} text
   * @param {boolean} isDangerous
   */
  setConfirm(text, isDangerous) {
    setText(this.#confirm, text);
    this.#confirm.classList.toggle("danger", isDangerous);
  }

  async #submit() {
    const run = this.#run;
    if (run === undefined) {
      this.#dialog.close();
      return;
    }
    if (this.#isRunning || !this.#takeToken()) return;
    this.#setRunning(true);
    setText(this.#error, "");
    try {
      const outcome = await run();
      // The user may have given up waiting, and asked for something else.
      if (this.#run !== run) return;
      if (outcome !== undefined) {
        this.#dialog.close();
        notify(outcome);
      }
    } catch (error) {
      if (this.#run === run) this.#fail(error);
    } finally {
      this.#setRunning(false);
    }
  }

  /** @returns {boolean} whether there is one now */
  #takeToken() {
    if (this.#tokenPart.hidden) return true;
    if (!isTokenText(this.#tokenInput.value)) {
      setText(this.#error, "Give the admin token: this changes something.");
      this.#tokenInput.focus();
      return false;
    }
    this.#tokenBefore = this.#token.set(this.#tokenInput.value);
    return true;
  }

  /** @param {unknown} error */
  #fail(error) {
    const message = error instanceof Error ? error.message : String(error);
    setText(this.#error, formatPlain(message, 2000));
    if (!(error instanceof AdminRequestError)) return;
    if (!error.wantsOther(this.#token)) return;
    // What was seen until now may be seen on.
    if (!this.#tokenPart.hidden) this.#token.set(this.#tokenBefore);
    setShown(this.#tokenPart, true);
    this.#tokenInput.value = "";
    this.#tokenInput.focus();
  }

  /** @param {boolean} isRunning */
  #setRunning(isRunning) {
    this.#isRunning = isRunning;
    this.#confirm.setAttribute("aria-disabled", String(isRunning));
    this.#dialog.setAttribute("aria-busy", String(isRunning));
  }

  #forget() {
    this.#run = undefined;
    this.#tokenInput.value = "";
    byId("action-body", HTMLElement).replaceChildren();
  }
}
