// @ts-check
/// <reference lib="dom" />
import { make, setShown, setText } from "./dom.js";
import { formatBytes, formatPlain } from "./format.js";
import { cutChars, summarizeGtids } from "./gtid_summary.js";
import { notify } from "./notice.js";

/** What of a set is shown when it is unfolded: the rest is there to be saved. */
const SHOWN_CHARS_MAX = 20_000;

/**
 * A GTID set: as it is when it is short, else folded under what it amounts to.
 * A folded set of a megabyte costs its length, no more.
 */
export class GtidField {
  #text = "";
  #name;
  #load;
  #short = make("span", { class: "code" });
  #summary = make("summary");
  #whole = make("pre", { class: "code gtids", tabindex: "0" });
  #more = make("p", { class: "muted" });
  #copy = make("button", { type: "button", class: "quiet" }, "Copy");
  #save = make("button", { type: "button", class: "quiet" }, "Save as a file");
  #details;

  /**
   * @param {HTMLElement} place
   * @param {string} name of the set, as the name of a file begins
   * @param {() => Promise<string>} load asks for the whole set
   */
  constructor(place, name, load) {
    this.#name = name;
    this.#load = load;
    const tools = make("p", { class: "tools" }, this.#copy, this.#save);
    this.#details = make(
      "details",
      {},
      this.#summary,
      this.#whole,
      this.#more,
      tools,
    );
    this.#whole.setAttribute("aria-label", name);
    this.#details.addEventListener("toggle", () => this.#unfold());
    this.#copy.addEventListener("click", () => this.#use(copyText));
    this.#save.addEventListener("click", () => {
      this.#use((text) => saveText(text, this.#name));
    });
    // Browsers offer it on secure origins alone.
    setShown(this.#copy, navigator.clipboard !== undefined);
    place.replaceChildren(this.#short, this.#details);
    setText(this.#short, "none");
    setShown(this.#details, false);
  }

  /**
   * @param {string} text of the set, cut or not
   */
  show(text) {
    if (text === this.#text) return;
    this.#text = text;
    const summary = summarizeGtids(text);
    setShown(this.#short, summary === undefined);
    setShown(this.#details, summary !== undefined);
    setText(
      this.#short,
      summary === undefined ? formatPlain(text).trim() || "none" : "",
    );
    setText(this.#summary, summary ?? "");
    this.#unfold();
  }

  #unfold() {
    const isOpen = this.#details.open && !this.#details.hidden;
    const text = isOpen ? this.#text.slice(0, SHOWN_CHARS_MAX) : "";
    const rest = isOpen
      ? this.#text.length - text.length + cutChars(this.#text)
      : 0;
    const lines = text.split(",").map((entry) =>
      formatPlain(entry.trim(), Infinity)
    );
    setText(this.#whole, lines.join(",\n"));
    setShown(this.#more, rest > 0);
    setText(this.#more, rest > 0 ? `… and ${formatBytes(rest)} more` : "");
  }

  /** @param {(text: string) => Promise<string>} step says what came of it */
  async #use(step) {
    try {
      const isWhole = cutChars(this.#text) === 0;
      notify(await step(isWhole ? this.#text : await this.#load()));
    } catch (error) {
      notify(error instanceof Error ? error.message : String(error));
    }
  }
}

/**
 * @param {string} text
 * @returns {Promise<string>}
 */
async function copyText(text) {
  await navigator.clipboard.writeText(text);
  return `Copied ${formatBytes(text.length)}`;
}

/**
 * @param {string} text
 * @param {string} name
 * @returns {Promise<string>}
 */
function saveText(text, name) {
  const url = URL.createObjectURL(
    new Blob([`${text}\n`], { type: "text/plain" }),
  );
  make("a", { href: url, download: `${name}.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return Promise.resolve(`Saved ${formatBytes(text.length)}`);
}
