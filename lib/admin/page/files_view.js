// @ts-check
/// <reference lib="dom" />
import {
  byId,
  field,
  setPlain,
  setShown,
  setText,
  setTime,
  setTitle,
} from "./dom.js";
import { formatBytes, formatCount, formatPlain } from "./format.js";
import { FileList } from "./file_list.js";
import { PagedTable } from "./paged_table.js";
import { rowButton } from "./row_button.js";

/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { ServerClock } from "./server_clock.js" */
/** @import { ShownFile } from "./file_list.js" */

/** The files of the log, newest first. */
export class FilesView {
  #table;
  #list;
  /** @type {LiveStatus | undefined} */
  #status;
  /** @type {ReadonlyMap<ShownFile, number>} in the log: names do not tell */
  #places = new Map();

  /**
   * @param {ServerClock} clock
   * @param {(file: string) => void} onPurgeTo
   * @param {() => Promise<readonly ShownFile[]>} loadAll
   */
  constructor(clock, onPurgeTo, loadAll) {
    this.#list = new FileList(loadAll);
    /** @type {(cell: HTMLElement, time: string | undefined) => void} */
    const fillTime = (cell, time) => setTime(cell, time, clock.now());
    this.#table = new PagedTable({
      name: "files",
      caption: "Files of the log",
      places: {
        table: byId("files-table", HTMLElement),
        tools: byId("files-tools", HTMLElement),
        pager: byId("files-pager", HTMLElement),
        empty: byId("files-empty", HTMLElement),
      },
      columns: [
        {
          key: "name",
          label: "File",
          sort: (/** @type {ShownFile} */ file) => this.#places.get(file),
          fill: (cell, { name, closed, server_uuid }) => {
            setPlain(cell, closed ? name : `${name} (being written)`);
            setTitle(cell, `from server ${formatPlain(server_uuid)}`);
          },
        },
        {
          key: "size",
          label: "Size",
          isNumber: true,
          sort: ({ size }) => size,
          fill: (cell, { size }) => {
            setText(cell, formatBytes(size));
            setTitle(cell, `${formatCount(size)} bytes`);
          },
        },
        {
          key: "first",
          label: "First event",
          sort: ({ first_event_time }) => first_event_time,
          fill: (cell, { first_event_time }) =>
            fillTime(cell, first_event_time),
        },
        {
          key: "last",
          label: "Last event",
          sort: ({ last_event_time }) => last_event_time,
          fill: (cell, { last_event_time }) => fillTime(cell, last_event_time),
        },
        {
          key: "action",
          label: "Action",
          build: (cell, name) => {
            const purge = rowButton("Purge to here…", () => onPurgeTo(name));
            purge.setAttribute(
              "aria-label",
              `Purge to here: the files before ${formatPlain(name, 80)}`,
            );
            cell.append(purge);
          },
          fill: () => {},
        },
      ],
      keyOf: ({ name }) => name,
      textOf: ({ name, first_event_time = "", last_event_time = "" }) =>
        `${name}\n${first_event_time}\n${last_event_time}`,
      filterLabel: "Filter files",
      order: { key: "name", descending: true },
      pageRows: 10,
      describePart: (known, total) =>
        `These are the newest ${formatCount(known)} of ${formatCount(total)}.`,
      loadAll: async () => {
        await this.#list.loadAll();
        if (this.#status !== undefined) this.show(this.#status);
      },
    });
  }

  /** @param {LiveStatus} status */
  show(status) {
    this.#status = status;
    const files = this.#list.rows(status);
    this.#places = new Map(files.map((file, index) => [file, index]));
    const total = status.store.files;
    setText(field("files-count"), formatCount(total));
    this.#table.show(files, total);
    if (total > 0) return;
    const empty = byId("files-empty", HTMLElement);
    setText(empty, "The log has no file yet: nothing came from a source.");
    setShown(empty, true);
  }
}
