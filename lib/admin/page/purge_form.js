// @ts-check
/// <reference lib="dom" />
import { askAdmin } from "./admin_request.js";
import { make } from "./dom.js";
import { formatBytes, formatNumberOf, formatPlain } from "./format.js";

/** @import { ActionDialog } from "./action_dialog.js" */
/** @import { AdminToken } from "./admin_token.js" */
/** @import { PurgeStatus } from "../retention_status.ts" */

/** Files named one by one. */
const NAMED_MAX = 100;

/** What is to be seen first. */
const LOOK = "Show what would go";

/**
 * What to purge: first it is shown what would go, then that goes. Whatever is
 * changed in between has to be looked at again.
 */
export class PurgeForm {
  #token;
  #dialog;
  #to = make("input", {
    id: "purge-to",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder: "binlog.000042",
  });
  #before = make("input", {
    id: "purge-before",
    type: "datetime-local",
    step: "1",
  });
  #byFile = make("input", {
    type: "radio",
    name: "purge-by",
    id: "purge-by-file",
  });
  #byTime = make("input", {
    type: "radio",
    name: "purge-by",
    id: "purge-by-time",
  });
  #force = make("input", { type: "checkbox", id: "purge-force" });
  #outcome = make("div", { class: "outcome", role: "status" });
  /** The body of the request that was looked at. */
  #seen = "";

  /** The text of the button at first. */
  confirm = LOOK;

  /** What is shown in the dialog. */
  body;

  /**
   * @param {{ token: AdminToken, dialog: ActionDialog, file: string }} parts
   */
  constructor({ token, dialog, file }) {
    this.#token = token;
    this.#dialog = dialog;
    this.#to.value = file;
    this.#byFile.checked = true;
    this.body = make(
      "div",
      { class: "purge" },
      make(
        "fieldset",
        {},
        make("legend", {}, "Remove the files"),
        choice(this.#byFile, "before the file", this.#to, "First file to keep"),
        choice(
          this.#byTime,
          "whose last event is older than",
          this.#before,
          "Oldest time to keep, local",
        ),
      ),
      make(
        "div",
        { class: "check" },
        this.#force,
        make(
          "label",
          { for: "purge-force" },
          "Also what replicas still need: their dumps end with error 1236",
        ),
      ),
      this.#outcome,
    );
    this.#to.addEventListener("input", () => this.#byFile.checked = true);
    this.#before.addEventListener("input", () => this.#byTime.checked = true);
    this.body.addEventListener("input", () => this.#reset());
  }

  /**
   * Shows what would go, or removes what was shown.
   *
   * @returns {Promise<string | undefined>}
   */
  async run() {
    const body = this.#request();
    const request = JSON.stringify(body);
    if (this.#seen === request) {
      const { removed, bytes } = await this.#ask(body);
      const files = formatNumberOf(removed.length, "file");
      return `${files} removed, ${formatBytes(bytes)}`;
    }
    const outcome = await this.#ask({ ...body, dry_run: true });
    // Something else may have been filled in while it was asked.
    if (JSON.stringify(this.#request()) !== request) return undefined;
    this.#show(outcome);
    if (outcome.removed.length > 0) {
      this.#seen = request;
      const files = formatNumberOf(outcome.removed.length, "file");
      this.#dialog.setConfirm(`Remove ${files} for good`, true);
    }
    return undefined;
  }

  /**
   * @param {object} body
   * @returns {Promise<PurgeStatus>}
   */
  #ask(body) {
    return askAdmin(this.#token, "PUT", "binlog/purge", body);
  }

  /** @returns {{ to?: string, before?: string, force: boolean }} */
  #request() {
    const force = this.#force.checked;
    if (this.#byTime.checked) {
      const time = new Date(this.#before.value);
      if (Number.isNaN(time.getTime())) throw new RangeError("Give a time.");
      return { before: time.toISOString(), force };
    }
    const to = this.#to.value.trim();
    if (to === "") throw new RangeError("Give the first file to keep.");
    return { to, force };
  }

  #reset() {
    this.#seen = "";
    this.#outcome.replaceChildren();
    this.#dialog.setConfirm(LOOK, false);
  }

  /** @param {PurgeStatus} outcome */
  #show({ removed, bytes, asked, first_kept, kept_active, held_back_by }) {
    const first = removed[0];
    const last = removed.at(-1);
    const lines = [
      first === undefined || last === undefined
        ? "No file would go."
        : `${formatNumberOf(removed.length, "file")} would go, ${
          formatBytes(bytes)
        }: ${formatPlain(first.name)} to ${formatPlain(last.name)}.`,
    ];
    if (first_kept !== undefined) {
      lines.push(`The log would begin with ${formatPlain(first_kept)}.`);
    }
    if (kept_active) lines.push("The file being written always stays.");
    if (held_back_by.length > 0) {
      const names = held_back_by.slice(0, 5).map(({ name, uuid }) =>
        formatPlain(name || uuid, 60)
      );
      lines.push(
        `${
          formatNumberOf(asked - removed.length, "file")
        } would stay, needed by ${names.join(", ")}${
          held_back_by.length > 5 ? " and others" : ""
        }.`,
      );
    }
    this.#outcome.replaceChildren(
      ...lines.map((line) => make("p", {}, line)),
      ...removed.length > 1 ? [listOf(removed)] : [],
    );
  }
}

/**
 * @param {HTMLInputElement} radio
 * @param {string} label
 * @param {HTMLInputElement} input
 * @param {string} inputLabel
 * @returns {HTMLElement}
 */
function choice(radio, label, input, inputLabel) {
  input.setAttribute("aria-label", inputLabel);
  return make(
    "div",
    { class: "choice" },
    radio,
    make("label", { for: radio.id }, label),
    input,
  );
}

/**
 * @param {PurgeStatus["removed"]} removed
 * @returns {HTMLElement}
 */
function listOf(removed) {
  const lines = removed.slice(0, NAMED_MAX).map(({ name, size }) =>
    make("li", {}, `${formatPlain(name)}, ${formatBytes(size)}`)
  );
  const more = removed.length - lines.length;
  if (more > 0) {
    lines.push(make("li", {}, `and ${formatNumberOf(more, "file")} more`));
  }
  return make(
    "details",
    {},
    make("summary", {}, "Which files"),
    make("ul", {}, ...lines),
  );
}
