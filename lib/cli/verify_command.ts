import { loadConfig } from "../config/load_config.ts";
import { databasePath } from "../store/kv/database_path.ts";
import { KvVerifySource } from "../store/kv/kv_verify_source.ts";
import {
  repairKvStore,
  type RepairResult,
} from "../store/kv/repair_kv_store.ts";
import { verifyLog } from "../store/verify/verify_log.ts";
import type { VerifyOptions } from "../store/verify/verify_options.ts";
import type { LogFault, VerifyReport } from "../store/verify/verify_report.ts";
import { type Command, JSON_FLAG, wantsJson } from "./command.ts";
import { configSources, storeFlags } from "./config_flags.ts";
import { ExitCode } from "./exit_code.ts";
import { formatBytes } from "./format_bytes.ts";
import { runLong } from "./long_work.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

const REPAIR_FLAG = "repair";

/** Faults that are printed; the others are counted. */
const FAULTS_MAX = 100;

/** `kingbus verify`. */
export const verifyCommand: Command = {
  name: "verify",
  summary: "Check the store, event by event; repair it",
  about:
    "Checks all that the store holds: the checksum, length and position of every event, the order of transactions, GTIDs without gap or repetition, and every block, summary, file record and the head against what the events say. Works on a stopped store and beside a running kingbus. Exit code 1 when anything is wrong; what is, is listed with file and position.",
  example: "kingbus verify",
  flags: [
    ...storeFlags(),
    {
      name: REPAIR_FLAG,
      value: undefined,
      about:
        "Write damaged records anew from the blocks, and end the log at the last whole transaction before the first damage in a block: all behind that is removed, later files too, and said. kingbus must not be running; at its next start it fetches the rest from the source again. Exit code 0 when the store is sound afterwards.",
    },
    JSON_FLAG,
  ],
  restMax: 0,
  json: {
    about: "One document.",
    fields: [
      ["store", "The database file."],
      ["sound", "Whether nothing was wrong before the repair."],
      [
        "files, blocks, bytes, events, transactions, seconds",
        "What was checked, and how long that took.",
      ],
      [
        "fault_count, faults",
        "How many, and the first of them: `file`, `position`, `block` (null where not known), `message`.",
      ],
      [
        "repair",
        "Null without `--repair`; else `removed` (`file`, `from`, `to`; null for its end), `removed_bytes`, `removed_gtids`, `went_back`, `removed_values`, `records_written`, and where the log ends: `last_binlog_file`, `last_file_position`.",
      ],
    ],
  },
  async run(input, terminal): Promise<number> {
    const { tree } = await loadConfig(configSources(input, terminal));
    const path = databasePath(tree["data-dir"]);
    const repairs = input.switches.has(REPAIR_FLAG);
    const began = performance.now();
    const { report, repair } = await runLong({
      title: "verify",
      terminal,
    }, async ({ signal, progress }) => {
      const options: VerifyOptions = {
        faultsMax: FAULTS_MAX,
        signal,
        onProgress: progress,
      };
      const repair = repairs ? await repairKvStore(path, options) : undefined;
      return { repair, report: repair?.before ?? await verify(path, options) };
    });
    const seconds = (performance.now() - began) / 1000;
    const result: Result = { path, report, repair, seconds };
    if (wantsJson(input)) terminal.out(`${JSON.stringify(toJson(result))}\n`);
    else tell(result, terminal);
    return report.faultCount === 0 || repair !== undefined
      ? ExitCode.DONE
      : ExitCode.FAILED;
  },
};

interface Result {
  readonly path: string;
  readonly report: VerifyReport;
  readonly repair: RepairResult | undefined;
  readonly seconds: number;
}

async function verify(
  path: string,
  options: VerifyOptions,
): Promise<VerifyReport> {
  await using source = await KvVerifySource.open(path);
  return await verifyLog(source, options);
}

function toJson(result: Result): Record<string, unknown> {
  const { path, report, repair, seconds } = result;
  const { files, blocks, bytes, events, transactions, faultCount } = report;
  return {
    store: path,
    sound: faultCount === 0,
    files,
    blocks,
    bytes,
    events,
    transactions,
    seconds: Number(seconds.toFixed(3)),
    fault_count: faultCount,
    faults: report.faults.map(({ file, position, block, message }) => ({
      file,
      position: position ?? null,
      block: block ?? null,
      message,
    })),
    repair: repair === undefined ? null : {
      removed: repair.removed.map(({ file, from, to }) => ({
        file,
        from,
        to: to ?? null,
      })),
      removed_bytes: repair.removedBytes,
      removed_gtids: `${repair.removedGtids}`,
      went_back: repair.wentBack,
      removed_values: repair.removedMeta,
      records_written: repair.rebuilt,
      last_binlog_file: repair.end?.file ?? "",
      last_file_position: repair.end?.position ?? 0,
    },
  };
}

function tell(result: Result, terminal: Terminal): void {
  const { path, report, repair, seconds } = result;
  const { style } = terminal;
  for (const fault of report.faults) {
    terminal.out(`${printable(formatFault(fault))}\n`);
  }
  const more = report.faultCount - report.faults.length;
  if (more > 0) terminal.out(`and ${more} more\n`);
  const { files, blocks, bytes, events, transactions } = report;
  terminal.out(
    `${path}: ${files === 1 ? "1 file" : `${files} files`}, ${
      blocks === 1 ? "1 block" : `${blocks} blocks`
    }, ${
      formatBytes(bytes)
    }, ${events} events, ${transactions} transactions with GTID checked in ${
      seconds.toFixed(1)
    } s\n`,
  );
  if (report.faultCount === 0) terminal.out(`${style.good("sound")}\n`);
  else if (repair !== undefined) tellRepair(repair, terminal);
  else {
    terminal.out(
      `${
        style.bad(countOf(report.faultCount, "fault"))
      }; kingbus verify --repair makes the store sound, and removes from the first damaged block on what it can't make good\n`,
    );
  }
}

function formatFault({ file, position, message }: LogFault): string {
  if (file === "") return message;
  return position === undefined
    ? `${file}: ${message}`
    : `${file} position ${position}: ${message}`;
}

function tellRepair(repair: RepairResult, terminal: Terminal): void {
  const say = (line: string): void => terminal.out(`${printable(line)}\n`);
  if (repair.rebuilt > 0) {
    say(`wrote ${countOf(repair.rebuilt, "record")} anew`);
  }
  for (const name of repair.removedMeta) {
    say(`removed the value ${name} beside the log`);
  }
  for (const { file, from, to } of repair.removed) {
    const end = to === undefined ? "its end" : `position ${to}`;
    say(
      from === 0
        ? `removed ${file}`
        : `removed ${file} from position ${from} to ${end}`,
    );
  }
  if (repair.removed.length > 0) {
    say(`removed ${formatBytes(repair.removedBytes)} in all`);
  }
  if (!repair.removedGtids.isEmpty) {
    say(`removed transactions: ${repair.removedGtids}`);
  }
  const { wentBack } = repair;
  if (wentBack !== undefined) {
    say(
      `removed transactions: the state went back from ${wentBack.from} to ${
        wentBack.to || "the empty one"
      }`,
    );
  }
  const { end } = repair;
  say(
    end === undefined
      ? "sound: the log is empty"
      : `sound: the log ends at ${end.file} position ${end.position}`,
  );
}

function countOf(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
