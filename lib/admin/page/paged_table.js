// @ts-check
/// <reference lib="dom" />
import { announce } from "./announcer.js";
import { make, setShown, setText } from "./dom.js";
import { formatCount } from "./format.js";
import { notify } from "./notice.js";
import { orderRows } from "./order_rows.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {boolean} [isNumber] aligned to the right
 * @property {(row: Row) => string | number | undefined} [sort] what to sort by;
 *   a column without it can't be sorted by
 * @property {(cell: HTMLElement, row: Row) => void} fill shows a row's value
 * @property {(cell: HTMLElement, key: string) => void} [build] makes what stays
 *   in the cell, such as a button
 */

/**
 * @template Row
 * @typedef {object} PagedTableParts
 * @property {string} name of what the rows are, in the plural: `replicas`
 * @property {string} caption
 * @property {{ table: HTMLElement, tools: HTMLElement, pager: HTMLElement,
 *   empty: HTMLElement }} places
 * @property {readonly Column<Row>[]} columns the first one names the row
 * @property {(row: Row) => string} keyOf
 * @property {(row: Row) => string} textOf what the filter looks in
 * @property {string} filterLabel
 * @property {{ key: string, descending: boolean }} order at first
 * @property {number} [pageRows] rows shown at once
 * @property {(known: number, total: number) => string} describePart which rows
 *   are there while not all are
 * @property {() => Promise<void>} loadAll has all rows shown from now on; asked
 *   when somebody looks for something that may not be there yet
 */

/** Rows shown at once, if nothing else is said: what a phone can draw at once. */
const PAGE_ROWS = 50;

/**
 * A table of any length: sorted, filtered, and one page of it in the document,
 * so that ten thousand rows cost no more than fifty.
 *
 * Rows stay in their places while somebody points at one or has the focus in
 * the table: nobody is to press the button of a row that has just moved there.
 *
 * @template Row
 */
export class PagedTable {
  #parts;
  #pageRows;
  /** @type {readonly Row[]} */
  #rows = [];
  /** @type {readonly Row[]} in order, those that the filter lets through */
  #ordered = [];
  #order;
  #filter = "";
  #page = 0;
  #body = make("tbody");
  /** @type {Map<string, { node: HTMLTableRowElement, cells: HTMLElement[] }>} */
  #shown = new Map();
  /** @type {HTMLElement[]} */
  #heads = [];
  #select = make("select");
  #direction = make("button", { type: "button", class: "quiet" });
  #range = make("span", { class: "muted range" });
  /** Rows there are, known or not. */
  #total = 0;
  #part = make("p", { class: "muted part" });
  #partText = make("span");
  #loadAll = make("button", { type: "button", class: "quiet" });
  #back = make("button", { type: "button", class: "quiet" }, "Previous");
  #next = make("button", { type: "button", class: "quiet" }, "Next");

  /** @param {PagedTableParts<Row>} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#pageRows = parts.pageRows ?? PAGE_ROWS;
    this.#order = { ...parts.order };
    this.#build();
    this.#showOrder();
  }

  /**
   * Shows these rows.
   *
   * @param {readonly Row[]} rows
   * @param {number} total rows there are, of which these are known
   */
  show(rows, total) {
    this.#rows = rows;
    this.#total = total;
    this.#ordered = this.#isHeld() ? this.#inOldOrder() : this.#inOrder();
    this.#render();
  }

  #build() {
    const { places, columns, caption, name, filterLabel } = this.#parts;
    const heads = make("tr", { role: "row" });
    for (const column of columns) heads.append(this.#head(column));
    const head = make("thead", { role: "rowgroup" }, heads);
    this.#body.setAttribute("role", "rowgroup");
    places.table.append(make(
      "table",
      { role: "table", class: "paged" },
      make("caption", { class: "unseen" }, caption),
      head,
      this.#body,
    ));
    const filter = make("input", {
      type: "search",
      placeholder: filterLabel,
      "aria-label": filterLabel,
      autocomplete: "off",
      spellcheck: "false",
    });
    filter.addEventListener("input", () => {
      this.#filter = filter.value.trim().toLowerCase();
      this.#turnTo(0);
      announce(`${formatCount(this.#ordered.length)} ${name} match`);
      this.#loadRest();
    });
    this.#loadAll.addEventListener("click", () => this.#loadRest());
    this.#part.append(this.#partText, " ", this.#loadAll);
    places.empty.after(this.#part);
    this.#buildOrderTools();
    places.tools.append(filter, this.#select, this.#direction);
    const pages = make("nav", { "aria-label": `Pages of ${name}` });
    this.#back.addEventListener("click", () => this.#turnTo(this.#page - 1));
    this.#next.addEventListener("click", () => this.#turnTo(this.#page + 1));
    pages.append(this.#back, this.#next);
    places.pager.append(this.#range, pages);
  }

  /** What cards are sorted by, which have no heads. */
  #buildOrderTools() {
    const { columns, name } = this.#parts;
    this.#select.setAttribute("aria-label", `Sort ${name} by`);
    this.#select.className = "narrow";
    this.#direction.classList.add("narrow");
    for (const { key, label, sort } of columns) {
      if (sort === undefined) continue;
      this.#select.append(make("option", { value: key }, label));
    }
    this.#select.addEventListener("change", () => {
      this.#sortBy(this.#select.value, false);
    });
    this.#direction.addEventListener("click", () => {
      this.#sortBy(this.#order.key, !this.#order.descending);
    });
  }

  /**
   * @param {Column<Row>} column
   * @returns {HTMLElement}
   */
  #head({ key, label, sort, isNumber }) {
    const head = make("th", { scope: "col", role: "columnheader" });
    head.dataset["key"] = key;
    if (isNumber) head.classList.add("number");
    if (sort === undefined) {
      head.append(make("span", { class: "unseen" }, label));
    } else {
      const button = make("button", { type: "button" }, label);
      button.addEventListener("click", () => {
        const { key: old, descending } = this.#order;
        this.#sortBy(key, old === key && !descending);
      });
      head.append(button);
    }
    this.#heads.push(head);
    return head;
  }

  /**
   * @param {string} key
   * @param {boolean} descending
   */
  #sortBy(key, descending) {
    this.#order = { key, descending };
    this.#showOrder();
    this.#turnTo(0);
    const { columns, name } = this.#parts;
    const column = columns.find((column) => column.key === key);
    announce(`${name} sorted by ${column?.label}, ${this.#directionName()}`);
    this.#loadRest();
  }

  async #loadRest() {
    if (this.#rows.length >= this.#total) return;
    this.#loadAll.disabled = true;
    try {
      await this.#parts.loadAll();
    } catch (error) {
      notify(error instanceof Error ? error.message : String(error));
    } finally {
      this.#loadAll.disabled = false;
    }
  }

  #directionName() {
    return this.#order.descending ? "largest first" : "smallest first";
  }

  #showOrder() {
    const { key, descending } = this.#order;
    for (const head of this.#heads) {
      if (head.dataset["key"] !== key) head.removeAttribute("aria-sort");
      else {
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      }
    }
    this.#select.value = key;
    setText(this.#direction, descending ? "↓" : "↑");
    this.#direction.setAttribute(
      "aria-label",
      `${this.#directionName()}: turn round`,
    );
  }

  /** @param {number} page */
  #turnTo(page) {
    this.#page = page;
    this.#ordered = this.#inOrder();
    this.#render();
  }

  /** @returns {readonly Row[]} */
  #inOrder() {
    const { columns } = this.#parts;
    const { key, descending } = this.#order;
    const sort = columns.find((column) => column.key === key)?.sort;
    const rows = this.#filtered();
    return sort === undefined ? rows : orderRows(rows, sort, descending);
  }

  /** The rows as they stand there, new ones behind. */
  #inOldOrder() {
    const { keyOf } = this.#parts;
    const rows = new Map(this.#filtered().map((row) => [keyOf(row), row]));
    /** @type {Row[]} */
    const ordered = [];
    for (const old of this.#ordered) {
      const row = rows.get(keyOf(old));
      if (row === undefined) continue;
      ordered.push(row);
      rows.delete(keyOf(old));
    }
    return [...ordered, ...rows.values()];
  }

  /** @returns {readonly Row[]} */
  #filtered() {
    if (this.#filter === "") return this.#rows;
    const { textOf } = this.#parts;
    return this.#rows.filter((row) =>
      textOf(row).toLowerCase().includes(this.#filter)
    );
  }

  #isHeld() {
    return this.#body.contains(document.activeElement) ||
      this.#body.matches(":hover");
  }

  #render() {
    const total = this.#ordered.length;
    const pages = Math.max(1, Math.ceil(total / this.#pageRows));
    this.#page = Math.min(Math.max(this.#page, 0), pages - 1);
    const from = this.#page * this.#pageRows;
    const rows = this.#ordered.slice(from, from + this.#pageRows);
    this.#renderRows(rows);
    const { places, name } = this.#parts;
    this.#renderPart();
    const isPaged = pages > 1;
    setShown(places.pager, isPaged);
    setShown(places.table, total > 0);
    setShown(places.tools, this.#rows.length > 1 || this.#filter !== "");
    setShown(places.empty, total === 0 && this.#rows.length > 0);
    if (total === 0 && this.#rows.length > 0) {
      setText(places.empty, `No ${name} match the filter.`);
    }
    if (!isPaged) return;
    setText(
      this.#range,
      `${formatCount(from + 1)}–${formatCount(from + rows.length)} of ${
        formatCount(total)
      }`,
    );
    disable(this.#back, this.#page === 0, this.#next);
    disable(this.#next, this.#page === pages - 1, this.#back);
  }

  #renderPart() {
    const { describePart, name } = this.#parts;
    const known = this.#rows.length;
    setShown(this.#part, known < this.#total);
    if (known >= this.#total) return;
    setText(this.#partText, describePart(known, this.#total));
    setText(this.#loadAll, `Show all ${formatCount(this.#total)} ${name}`);
  }

  /** @param {readonly Row[]} rows */
  #renderRows(rows) {
    const { columns, keyOf } = this.#parts;
    const wanted = new Set(rows.map(keyOf));
    for (const [key, { node }] of this.#shown) {
      if (wanted.has(key)) continue;
      node.remove();
      this.#shown.delete(key);
    }
    let place = this.#body.firstElementChild;
    for (const row of rows) {
      const key = keyOf(row);
      const line = this.#shown.get(key) ?? this.#newLine(key);
      if (line.node === place) place = place.nextElementSibling;
      else this.#body.insertBefore(line.node, place);
      columns.forEach((column, index) => {
        const cell = line.cells[index];
        if (cell !== undefined) column.fill(cell, row);
      });
    }
  }

  /** @param {string} key */
  #newLine(key) {
    const node = make("tr", { role: "row" });
    const cells = this.#parts.columns.map((column, index) => {
      const cell = index === 0
        ? make("th", { scope: "row", role: "rowheader" })
        : make("td", { role: "cell" });
      cell.dataset["label"] = column.label;
      cell.dataset["key"] = column.key;
      if (column.isNumber) cell.classList.add("number");
      column.build?.(cell, key);
      node.append(cell);
      return cell;
    });
    const line = { node, cells };
    this.#shown.set(key, line);
    return line;
  }
}

/**
 * Disables a button; the focus goes to another one instead of getting lost.
 *
 * @param {HTMLButtonElement} button
 * @param {boolean} disabled
 * @param {HTMLButtonElement} other
 */
function disable(button, disabled, other) {
  const hadFocus = document.activeElement === button;
  button.disabled = disabled;
  if (disabled && hadFocus) {
    other.disabled = false;
    other.focus();
  }
}
