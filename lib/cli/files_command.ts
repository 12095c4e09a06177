import type { FileStatus } from "../admin/file_status.ts";
import { adminOrStoreFlags } from "./admin_access.ts";
import { FROM_FIELD } from "./ask_node.ts";
import { type Command, JSON_FLAG } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatBytes } from "./format_bytes.ts";
import type { FormatOptions } from "./format_options.ts";
import { isFileList } from "./node_answers.ts";
import { formatTable, type TableColumn } from "./table.ts";
import { withFound } from "./with_found.ts";

const COLUMNS: readonly TableColumn<FileStatus>[] = [
  { title: "NAME", text: ({ name }) => name },
  { title: "SIZE", text: ({ size }) => formatBytes(size), align: "right" },
  {
    title: "BYTES",
    text: ({ size }) => String(size),
    align: "right",
    drop: 2,
  },
  {
    title: "FIRST EVENT",
    text: (file) => shortTime(file.first_event_time),
    drop: 1,
  },
  { title: "LAST EVENT", text: (file) => shortTime(file.last_event_time) },
  { title: "STATE", text: ({ closed }) => closed ? "closed" : "written" },
  { title: "FROM SERVER", text: (file) => file.server_uuid, min: 8, drop: 3 },
];

/** `kingbus files`. */
export const filesCommand: Command = {
  name: "files",
  summary: "List the files of the log",
  about:
    "Lists the binlog files that kingbus keeps, oldest first, with size and the times of their first and last event (UTC, by the source's clock). Asks the running node, or reads the store when none runs.",
  example: "kingbus files",
  flags: [...adminOrStoreFlags(), JSON_FLAG],
  restMax: 0,
  json: {
    about: "One document.",
    fields: [
      FROM_FIELD,
      ["data", "What [`GET /binlog/files`](admin-api.md) answers: a list."],
    ],
  },
  run: (input, terminal): Promise<number> =>
    withFound(input, terminal, {
      question: { path: "/binlog/files", isAnswer: isFileList },
      stored: ({ files }) => files,
      pick: (files) => files,
      format: formatFiles,
    }, () => ExitCode.DONE),
};

function formatFiles(
  files: readonly FileStatus[],
  options: FormatOptions,
): string {
  const count = files.length;
  if (count === 0) return "the log is empty\n";
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const sum = `${count === 1 ? "1 file" : `${count} files`}, ${
    formatBytes(bytes)
  }`;
  return `${[...formatTable(files, COLUMNS, options), sum].join("\n")}\n`;
}

/** `2026-11-23 10:00:00` of RFC 3339 in UTC; empty when not known. */
function shortTime(text: string | undefined): string {
  return text === undefined ? "" : text.slice(0, 19).replace("T", " ");
}
