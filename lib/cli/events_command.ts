import { loadConfig } from "../config/load_config.ts";
import { formatGtid, type Gtid, parseGtid } from "../gtid/gtid.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import {
  formatMariadbGtid,
  type MariadbGtid,
  parseMariadbGtid,
} from "../gtid/mariadb_gtid.ts";
import { FIRST_POSITION, type StoredFile } from "../store/binlog_store.ts";
import { databasePath } from "../store/kv/database_path.ts";
import { openKvSnapshot } from "../store/kv/open_kv_snapshot.ts";
import { findMariadbTransaction } from "../store/find_mariadb_transaction.ts";
import { findTransaction } from "../store/find_transaction.ts";
import { type ListedEvent, listEvents } from "../store/list_events.ts";
import type { LogSnapshot } from "../store/log_snapshot.ts";
import {
  type Command,
  type CommandInput,
  JSON_FLAG,
  wantsJson,
} from "./command.ts";
import { configSources, storeFlags } from "./config_flags.ts";
import { EventTable } from "./event_table.ts";
import { readCount } from "./read_value.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

const FILE = "file";
const FROM = "from";
const GTID = "gtid";
const LIMIT = "limit";

/** `kingbus events`. */
export const eventsCommand: Command = {
  name: "events",
  summary: "List the events of a file of the log, or of a transaction",
  about:
    "Lists the events of a binlog file as SHOW BINLOG EVENTS does, beside a running kingbus or a stopped one: position, time, server id, type, size, and what the event says. Times are in UTC.",
  example: "kingbus events --limit 20",
  flags: [
    ...storeFlags(),
    { name: FILE, value: "FILE", about: "The file. [the newest]" },
    {
      name: FROM,
      value: "POSITION",
      about: "Position of the first event. [4]",
    },
    {
      name: GTID,
      value: "GTID",
      about: "List this transaction only, whichever file it is in.",
    },
    { name: LIMIT, value: "N", about: "List so many events at most." },
    JSON_FLAG,
  ],
  restMax: 0,
  json: {
    about: "One document a line for each event.",
    fields: [
      ["file", "The file it is in."],
      ["type", "Its type's name."],
      [
        "position, size, endPosition",
        "Where it begins, its bytes, and where the next one begins.",
      ],
      ["timestamp", "Unix seconds, by the source's clock; 0 for none."],
      ["serverId", "That of the server that first wrote it."],
      ["info", "What it says, in words."],
      ["isInner", "True inside of a compressed transaction."],
      ["gtid, database, table", "Where it says them."],
    ],
  },
  async run(input, terminal): Promise<number> {
    const wanted = readWishes(input);
    const { tree } = await loadConfig(configSources(input, terminal));
    const path = databasePath(tree["data-dir"]);
    await using log = await openKvSnapshot({ path });
    const place = wanted.mariadb && await mariadbPlace(log, wanted.mariadb);
    const file = place?.file ?? chooseFile(log, wanted);
    const print = wantsJson(input)
      ? new JsonPrinter(terminal, file)
      : new EventTable(terminal, file);
    let left = wanted.limit;
    for await (
      const event of chosenEvents(log, file, {
        ...wanted,
        from: place?.position ?? wanted.from,
      })
    ) {
      if (left-- <= 0 || terminal.isOutClosed()) break;
      print.event(event);
    }
    print.end();
    return 0;
  },
};

/** What the command line asks for. */
interface Wishes {
  readonly file: string | undefined;
  readonly from: number;
  readonly gtid: Gtid | undefined;
  /** As `gtid`, of a MariaDB log. */
  readonly mariadb: MariadbGtid | undefined;
  readonly limit: number;
}

/** There is no such thing in the log. */
class NotThereError extends Error {
  override readonly name = "NotThereError";
}

function readWishes({ values }: CommandInput): Wishes {
  const gtid = values.get(GTID);
  if (gtid !== undefined && values.has(FILE)) {
    throw new UsageError(`--${GTID} finds the file itself: omit --${FILE}`);
  }
  if (gtid !== undefined && values.has(FROM)) {
    throw new UsageError(`--${GTID} finds the position itself: omit --${FROM}`);
  }
  return {
    file: values.get(FILE),
    from: countOf(FROM, values) ?? FIRST_POSITION,
    gtid: gtid === undefined || isMariadb(gtid) ? undefined : readGtid(gtid),
    mariadb: gtid !== undefined && isMariadb(gtid)
      ? readMariadbGtid(gtid)
      : undefined,
    limit: countOf(LIMIT, values) ?? Infinity,
  };
}

function countOf(
  name: string,
  values: CommandInput["values"],
): number | undefined {
  const text = values.get(name);
  return text === undefined ? undefined : readCount(name, text);
}

function isMariadb(text: string): boolean {
  return /^\s*\d+-\d+-\d+\s*$/.test(text);
}

function readGtid(text: string): Gtid {
  return readOne(text, parseGtid);
}

function readMariadbGtid(text: string): MariadbGtid {
  return readOne(text, parseMariadbGtid);
}

function readOne<Value>(text: string, parse: (text: string) => Value): Value {
  try {
    return parse(text);
  } catch (cause) {
    throw new UsageError(`--${GTID} takes one GTID, not "${text}"`, { cause });
  }
}

/** Where a transaction of a MariaDB log is. */
async function mariadbPlace(
  log: LogSnapshot,
  gtid: MariadbGtid,
): Promise<{ file: StoredFile; position: number }> {
  const at = await findMariadbTransaction(log, gtid);
  const file = log.files.find(({ number }) => number === at?.fileNumber);
  if (at !== undefined && file !== undefined) {
    return { file, position: at.position };
  }
  const text = formatMariadbGtid(gtid);
  throw new NotThereError(
    log.files[0]?.mariadbStart?.has(gtid)
      ? `${text} was purged from the log`
      : `the log has no transaction ${text}`,
  );
}

function chooseFile(log: LogSnapshot, wanted: Wishes): StoredFile {
  const { head, files } = log;
  const newest = files.at(-1);
  if (head === undefined || newest === undefined) {
    throw new NotThereError("the log is empty");
  }
  if (wanted.gtid !== undefined) {
    const { uuid, tag, gno } = wanted.gtid;
    const text = formatGtid(wanted.gtid);
    if (head.purged.has(uuid, tag, gno)) {
      throw new NotThereError(`${text} was purged from the log`);
    }
    const set = new GtidSet();
    set.add(uuid, tag, gno);
    const file = files.findLast((one) => !one.previousGtids.containsSet(set));
    if (head.executed.has(uuid, tag, gno) && file !== undefined) return file;
    throw new NotThereError(`the log has no transaction ${text}`);
  }
  if (wanted.file === undefined) return newest;
  const file = log.fileByName(wanted.file);
  if (file !== undefined) return file;
  throw new NotThereError(
    `the log has no file ${wanted.file}; it has ${
      files[0]!.name
    } to ${newest.name}`,
  );
}

async function* chosenEvents(
  log: LogSnapshot,
  file: StoredFile,
  wanted: Wishes,
): AsyncGenerator<ListedEvent> {
  const gtid = wanted.gtid === undefined
    ? wanted.mariadb && formatMariadbGtid(wanted.mariadb)
    : formatGtid(wanted.gtid);
  let inside = false;
  const from = wanted.gtid === undefined
    ? wanted.from
    : await findTransaction(log, file, wanted.gtid);
  for await (const run of listEvents(log, file, { from })) {
    for (const event of run) {
      if (gtid !== undefined) {
        if (event.gtid !== undefined) {
          if (inside) return;
          inside = event.gtid === gtid;
        } else if (inside && isControl(event)) {
          return;
        }
        if (!inside) continue;
      }
      yield event;
    }
  }
}

/** Whether an event after a transaction belongs to none. */
function isControl({ type }: ListedEvent): boolean {
  return type === "Rotate" || type === "Stop" || type === "Anonymous_Gtid" ||
    type === "Binlog_checkpoint";
}

/** Prints for programs. */
class JsonPrinter {
  readonly #terminal: Terminal;
  readonly #file: string;

  constructor(terminal: Terminal, file: StoredFile) {
    this.#terminal = terminal;
    this.#file = file.name;
  }

  event(event: ListedEvent): void {
    const line = { file: this.#file, ...event };
    this.#terminal.out(`${JSON.stringify(line)}\n`);
  }

  end(): void {
    // Each line stands for itself.
  }
}
