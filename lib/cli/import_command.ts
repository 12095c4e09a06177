import { dirname } from "node:path";
import { UUID } from "../config/config_schema.ts";
import { loadConfig } from "../config/load_config.ts";
import { readServerUuid } from "../import/auto_cnf.ts";
import { type BinlogPath, listBinlogPaths } from "../import/binlog_path.ts";
import { type ImportedFile, importFiles } from "../import/import_files.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import { executedText } from "../store/executed_text.ts";
import { databasePath } from "../store/kv/database_path.ts";
import { openKvStore } from "../store/kv/open_kv_store.ts";
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
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

const UUID_FLAG = "server-uuid";
const TORN_FLAG = "accept-torn-end";

/** `kingbus import FILE…`. */
export const importCommand: Command = {
  name: "import",
  summary: "Append binlog files to the store",
  about:
    "Appends binlog files, as a backup, mysqlbinlog --raw or a dead source's disk has them, to an empty store or at the end of one, with the checks that live data get. Takes files or folders; their numbers give the order. kingbus must not be running on the store. What is in the store already is not imported again, so an import that ended early goes on when it is given once more.",
  example: "kingbus import --data-dir ./copy ./backup",
  flags: [
    ...storeFlags(),
    {
      name: UUID_FLAG,
      value: "UUID",
      about:
        "The server that wrote the files. Without it, the one that auto.cnf beside them names, or the one of the store's newest file.",
    },
    {
      name: TORN_FLAG,
      value: undefined,
      about:
        "Take the last file even if it ends inside a transaction; the rest is left out. A file its server had open when it died needs no flag.",
    },
    JSON_FLAG,
  ],
  argument: "FILE…",
  completion: "file",
  restMax: Infinity,
  json: {
    about: "One document.",
    fields: [
      ["interrupted", "True when a signal ended it."],
      [
        "files",
        "For each file `name`, `bytes` appended, `torn_bytes` left out, `warning`.",
      ],
      [
        "last_binlog_file, last_file_position",
        "Where the store ends now; empty and 0 for an empty one.",
      ],
      ["executed_gtid_set, purged_gtid_set", "As in `status`."],
    ],
  },
  async run(input, terminal): Promise<number> {
    if (input.rest.length === 0) {
      throw new UsageError("import needs files or folders");
    }
    const { tree } = await loadConfig(configSources(input, terminal));
    const files = await listBinlogPaths(input.rest);
    const uuid = await serverUuidOf(input, files);
    await using store = await openKvStore({
      path: databasePath(tree["data-dir"]),
      tailBytes: tree.store["tail-memory"],
      cacheBytes: tree.store["cache-memory"],
    });
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const { done, interrupted } = await runLong({
      title: "import",
      terminal,
    }, async ({ signal, progress }) => {
      progress(0, bytes);
      const done = await importFiles(store, files, {
        serverUuid: uuid ?? store.files.at(-1)?.serverUuid ?? "",
        acceptTornEnd: input.switches.has(TORN_FLAG),
        signal,
        onProgress: (done) => progress(done, bytes),
      });
      return { done, interrupted: signal.aborted };
    });
    if (wantsJson(input)) {
      terminal.out(`${JSON.stringify(toJson(done, store, interrupted))}\n`);
    } else {
      tell(done, store, terminal);
    }
    if (!interrupted) return ExitCode.DONE;
    terminal.err(
      "kingbus: import was interrupted; the same command goes on from there\n",
    );
    return ExitCode.FAILED;
  },
};

async function serverUuidOf(
  { values }: CommandInput,
  files: readonly BinlogPath[],
): Promise<string | undefined> {
  const given = values.get(UUID_FLAG);
  if (given === undefined) {
    const first = files[0];
    return first && await readServerUuid(dirname(first.path));
  }
  if (!UUID.pattern.test(given)) {
    throw new UsageError(`--${UUID_FLAG} ${UUID.reason}`);
  }
  return given.toLowerCase();
}

function toJson(
  done: readonly ImportedFile[],
  store: BinlogStore,
  interrupted: boolean,
): Record<string, unknown> {
  const { head } = store;
  const { executed, purged } = executedText(store);
  return {
    interrupted,
    files: done.map(({ name, bytes, tornBytes, warning }) => ({
      name,
      bytes,
      torn_bytes: tornBytes,
      warning,
    })),
    last_binlog_file: head?.fileName ?? "",
    last_file_position: head?.position ?? 0,
    executed_gtid_set: executed,
    purged_gtid_set: purged,
  };
}

function tell(
  done: readonly ImportedFile[],
  { head }: BinlogStore,
  terminal: Terminal,
): void {
  const added = done.filter(({ bytes }) => bytes > 0);
  const bytes = added.reduce((sum, file) => sum + file.bytes, 0);
  for (const { name, tornBytes, warning } of done) {
    if (warning !== undefined) {
      terminal.err(`kingbus: ${printable(`${name}: ${warning}`)}\n`);
    }
    if (tornBytes === 0) continue;
    terminal.err(
      `kingbus: ${
        printable(name)
      }: its last ${tornBytes} bytes are no whole transaction and were left out\n`,
    );
  }
  const there = done.length - added.length;
  terminal.out(
    `imported ${countOf(added.length)}, ${formatBytes(bytes)}` +
      (there > 0 ? `; ${countOf(there)} had nothing new` : "") + "\n",
  );
  if (head === undefined) return;
  terminal.out(
    `the store ends at ${printable(head.fileName)} position ${head.position}\n`,
  );
}

function countOf(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
}
