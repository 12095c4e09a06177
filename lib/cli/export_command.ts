import { loadConfig } from "../config/load_config.ts";
import { ExportError } from "../export/export_error.ts";
import {
  type ExportedFileReport,
  exportLog,
  type ExportReport,
} from "../export/export_log.ts";
import { parseStopAt, type StopAt } from "../export/stop_at.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import { databasePath } from "../store/kv/database_path.ts";
import { openKvSnapshot } from "../store/kv/open_kv_snapshot.ts";
import {
  type Command,
  type CommandInput,
  JSON_FLAG,
  wantsJson,
} from "./command.ts";
import { configSources, storeFlags } from "./config_flags.ts";
import { ExitCode } from "./exit_code.ts";
import { formatBytes } from "./format_bytes.ts";
import { runLong } from "./long_work.ts";
import { printable } from "./printable.ts";
import { UsageError } from "./usage_error.ts";

const TO = "to";
const FROM = "from";
const GTIDS = "gtids";
const STOP_AT = "stop-at";
const OVERWRITE = "overwrite";

/** `kingbus export`. */
export const exportCommand: Command = {
  name: "export",
  summary: "Write the log as binlog files that mysqlbinlog reads",
  about:
    "Writes the files of the log into a folder, byte for byte as the source has them, beside a running kingbus or a stopped one. The same command again goes on where the last one ended, and takes what has come since. Exit code 1 when something could not be exported; no file has its name then that is not whole.",
  example: "kingbus export --to ./backup",
  flags: [
    ...storeFlags(),
    {
      name: TO,
      value: "FOLDER",
      completion: "folder",
      about: "Where the files go; made if missing.",
    },
    {
      name: FROM,
      value: "FILE",
      about: "The first file of the log. [the oldest]",
    },
    {
      name: GTIDS,
      value: "GTID-SET",
      about:
        "Only these transactions of a MySQL log, with new positions; files before the first and after the last of them are left out. [all]",
    },
    {
      name: STOP_AT,
      value: "TIME|GTID",
      about:
        "Stop before the first transaction with an event of this time or later ('2026-05-01 12:00:00' in local time, as mysqlbinlog --stop-datetime, or 2026-05-01T12:00:00Z), or after the transaction with this GTID, 0-1-100 in a log of MariaDB. [the log's end]",
    },
    {
      name: OVERWRITE,
      value: undefined,
      about: "Overwrite what is in the way in the folder.",
    },
    JSON_FLAG,
  ],
  restMax: 0,
  json: {
    about: "One document.",
    fields: [
      ["to", "The folder."],
      [
        "files",
        "For each file `name`, `size`, `state` (what was done with it), and `cut`: `open` while the source still writes it, `stopped` where the export was to stop; absent for a whole one.",
      ],
      ["written", "Bytes written."],
      ["end", "`file` and `position` where it ended."],
      ["stopped", "True when that is before the log's end, as asked for."],
      ["transactions", "How many were written; with `--gtids` only."],
      ["missing", "GTIDs asked for that the log has not; empty for none."],
      ["seconds", "How long it took."],
    ],
  },
  async run(input, terminal): Promise<number> {
    const to = input.values.get(TO);
    if (to === undefined) {
      throw new UsageError(`export needs --${TO} FOLDER, where the files go`);
    }
    const gtids = gtidsOf(input);
    const stopAt = stopAtOf(input);
    const { tree } = await loadConfig(configSources(input, terminal));
    const path = databasePath(tree["data-dir"]);
    await using log = await openKvSnapshot({ path });
    const started = performance.now();
    const report = await runLong({
      title: "export",
      terminal,
      interrupted: (signal) =>
        new ExportError(
          "io",
          `Stopped by ${signal}: the same command goes on where it was`,
        ),
    }, async ({ signal, progress }) =>
      await exportLog(log, {
        to,
        from: input.values.get(FROM),
        gtids,
        stopAt,
        overwrite: input.switches.has(OVERWRITE),
        progress,
        signal,
      }));
    const seconds = (performance.now() - started) / 1000;
    terminal.out(
      wantsJson(input)
        ? `${JSON.stringify({ ...report, seconds })}\n`
        : formatReport(report, seconds),
    );
    return ExitCode.DONE;
  },
};

function gtidsOf(input: CommandInput): GtidSet | undefined {
  const text = input.values.get(GTIDS);
  if (text === undefined) return undefined;
  if (/^\s*\d+-\d+-\d+\s*(,|$)/.test(text)) {
    throw new UsageError(
      `--${GTIDS} takes GTIDs of MySQL: of a MariaDB log take whole files, with --${FROM} and --${STOP_AT}`,
    );
  }
  let set: GtidSet;
  try {
    set = GtidSet.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`--${GTIDS}: ${error.message}`, { cause: error });
  }
  if (!set.isEmpty) return set;
  throw new UsageError(`--${GTIDS} has no GTID in it`);
}

function stopAtOf(input: CommandInput): StopAt | undefined {
  const text = input.values.get(STOP_AT);
  if (text === undefined) return undefined;
  try {
    return parseStopAt(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`--${STOP_AT}: ${error.message}`, { cause: error });
  }
}

function formatReport(report: ExportReport, seconds: number): string {
  const { to, files, written, end, stopped } = report;
  const lines = files.map((file) => {
    const name = file.name;
    return `  ${name}  ${file.size}  ${file.state}${describeCut(file)}`;
  });
  const count = files.length === 1 ? "1 file" : `${files.length} files`;
  const rate = formatBytes(written / Math.max(seconds, 0.001));
  const where = `${end.file}:${end.position}`;
  lines.push(
    `${count} in ${to}: ${formatBytes(written)} written in ${
      seconds.toFixed(1)
    } s (${rate}/s), ${
      stopped ? `stopped at ${where}` : `the log ends at ${where}`
    }`,
  );
  if (report.transactions !== undefined) {
    lines.push(`${report.transactions} transactions written`);
  }
  if (report.missing !== "") lines.push(`not in the log: ${report.missing}`);
  return `${lines.map(printable).join("\n")}\n`;
}

function describeCut({ cut }: ExportedFileReport): string {
  if (cut === undefined) return "";
  return cut === "open"
    ? ", the source still writes it: export again for the rest"
    : ", up to where it was to stop";
}
