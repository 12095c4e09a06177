import type { FileStatus } from "../admin/file_status.ts";
import { adminOrStoreFlags } from "./admin_access.ts";
import { askNodeOrStore, formatFound, FROM_FIELD } from "./ask_node.ts";
import { type Command, JSON_FLAG, wantsJson } from "./command.ts";
import { ExitCode } from "./exit_code.ts";
import { formatBytes } from "./format_bytes.ts";
import { formatOptions } from "./format_options.ts";
import { isFileList } from "./node_answers.ts";
import { formatTable, type TableColumn } from "./table.ts";
import { withAdmin } from "./with_admin.ts";

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
  async run(input, terminal): Promise<number> {
    return await withAdmin(input, terminal, async (access) => {
      const found = await askNodeOrStore(
        access,
        { path: "/binlog/files", isAnswer: isFileList },
        ({ files }) => files,
        terminal,
      );
      if (wantsJson(input)) {
        terminal.out(formatFound(found));
        return ExitCode.DONE;
      }
      const bytes = found.data.reduce((sum, { size }) => sum + size, 0);
      const count = found.data.length;
      const lines = count === 0
        ? ["the log is empty"]
        : formatTable(found.data, COLUMNS, formatOptions(terminal));
      const files = count === 1 ? "1 file" : `${count} files`;
      if (count > 0) lines.push(`${files}, ${formatBytes(bytes)}`);
      terminal.out(`${lines.join("\n")}\n`);
      return ExitCode.DONE;
    });
  },
};

/** `2026-11-23 10:00:00` of RFC 3339 in UTC; empty when not known. */
function shortTime(text: string | undefined): string {
  return text === undefined ? "" : text.slice(0, 19).replace("T", " ");
}
