import { Buffer } from "node:buffer";
import {
  eventTypeAt,
  flagsAt,
  logPosAt,
} from "../../lib/binlog/event_header.ts";
import { EventFlag, EventType } from "../../lib/binlog/event_type.ts";
import { decodeGtid } from "../../lib/binlog/gtid_event.ts";
import { formatGtid } from "../../lib/gtid/gtid.ts";
import { decodeRotate } from "../../lib/binlog/rotate.ts";
import { GtidSet } from "../../lib/gtid/gtid_set.ts";
import { ClientConnection } from "../../lib/connection/client_connection.ts";
import {
  type Mysql56,
  REPLICATION_ACCOUNT,
} from "../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";
import { DumpClient, isHeartbeat } from "../support/dump_client.ts";
import { readSourceFile } from "../support/source_file.ts";
import {
  binlogsOf,
  checksumTables,
  executedOf,
  logEndOf,
  TestReplica,
} from "../support/sql_server.ts";
import { CrashError } from "./crash_error.ts";
import type { Witness } from "./witness.ts";

/** What is compared, once nothing moves any more. */
export interface ProofSubjects {
  readonly source: Mysql56;
  readonly replicas: readonly Mysql56[];
  /** Where kingbus listens for replicas. */
  readonly kingbusPort: number;
  readonly witness: Witness;
}

/** What was compared. */
export interface ProofResult {
  readonly files: number;
  /** Bytes that kingbus serves, and that the witness has got. */
  readonly bytes: number;
  readonly transactions: number;
  readonly tables: number;
}

/** How long all may take to have everything, in ms. */
const CATCH_UP_MS = 120_000;

/** A connection to kingbus on which statements can be run. */
async function askKingbus(port: number, sql: string): Promise<string> {
  await using connection = await ClientConnection.connect({
    hostname: "127.0.0.1",
    port,
    ...REPLICATION_ACCOUNT,
  });
  const { rows } = await connection.query(sql);
  return (rows[0]?.[0] ?? "").replaceAll("\n", "");
}

/**
 * Proves that nothing was lost, changed or served twice. Nothing may write on
 * the source meanwhile.
 *
 * @throws {CrashError} of what is wrong
 */
export async function proveAll(subjects: ProofSubjects): Promise<ProofResult> {
  const { source, replicas, kingbusPort, witness } = subjects;
  const end = await logEndOf(source);
  const executed = GtidSet.parse(await executedOf(source));
  await witness.reached(end, CATCH_UP_MS);
  const served = await compareFiles(subjects);
  const ours = GtidSet.parse(
    await askKingbus(kingbusPort, "SELECT @@GLOBAL.gtid_executed"),
  );
  const purged = GtidSet.parse(
    await askKingbus(kingbusPort, "SELECT @@GLOBAL.gtid_purged"),
  );
  expectSame("kingbus's executed set", ours, executed, "the source's");
  if (purged.intersects(served.readable)) {
    throw new CrashError(
      `Transactions that are purged can be read: ${
        purged.intersect(served.readable)
      }`,
    );
  }
  expectSame(
    "kingbus's executed set",
    ours,
    purged.union(served.readable),
    "what is purged or can be read",
  );
  const rows = await checksumTables(source);
  for (const replica of replicas) {
    await waitUntilHas(replica, executed);
    expectSame(
      "the replica's executed set",
      GtidSet.parse(await executedOf(replica)),
      executed,
      "the source's",
    );
    compareTables(await checksumTables(replica), rows);
  }
  return { ...served, tables: Object.keys(rows).length };
}

/** Waits until a replica has executed all this. */
export async function waitUntilHas(
  replica: Mysql56,
  executed: GtidSet,
): Promise<void> {
  await waitUntil("the replica had everything", async () => {
    const has = GtidSet.parse(await executedOf(replica));
    if (has.containsSet(executed)) return true;
    await checkReplica(replica);
    return false;
  }, { deadlineMs: CATCH_UP_MS, intervalMs: 20 });
}

/** What MySQL 5.6 calls that a statement of its replica got no answer. */
const ER_SLAVE_FATAL_ERROR = "1593";

/**
 * Makes sure that a replica replicates. Its I/O thread stops for good where the
 * network goes silent after it has sent `SET @slave_uuid` (it tries again after
 * any other statement): then it is started again, as an operator would.
 *
 * @throws {CrashError} when it has stopped for any other reason
 */
async function checkReplica(server: Mysql56): Promise<void> {
  const replica = new TestReplica(server);
  const state = await replica.state();
  const { Last_SQL_Error, Last_IO_Error, Last_IO_Errno } = state;
  if (Last_SQL_Error) {
    throw new CrashError(`The replica has stopped: ${Last_SQL_Error}`);
  }
  if (state["Slave_IO_Running"] !== "No" || !Last_IO_Error) return;
  if (
    Last_IO_Errno === ER_SLAVE_FATAL_ERROR &&
    Last_IO_Error.includes("tries to send query to master")
  ) return await replica.resume();
  throw new CrashError(`The replica has stopped: ${Last_IO_Error}`);
}

/** Compares every byte of every file of kingbus, and of the witness. */
async function compareFiles(
  { source, kingbusPort, witness }: ProofSubjects,
): Promise<
  { files: number; bytes: number; transactions: number; readable: GtidSet }
> {
  const binlogFolder = `${source.dir}/data`;
  const readable = new GtidSet();
  let files = 0;
  let bytes = 0;
  let transactions = 0;
  let name = "";
  let expected: Uint8Array = new Uint8Array();
  let at = 0;
  const finish = (): void => {
    if (at === expected.length) return;
    throw new CrashError(
      `kingbus serves ${at} bytes of ${name}, the source has ${expected.length}`,
    );
  };
  await using dump = await DumpClient.open({ port: kingbusPort });
  for (let event = await dump.next(); event; event = await dump.next()) {
    const type = eventTypeAt(event, 0);
    if (isHeartbeat(event)) continue;
    const artificial = (flagsAt(event, 0) & EventFlag.ARTIFICIAL) !== 0;
    if (type === EventType.ROTATE && artificial) {
      finish();
      name = decodeRotate(event, "crc32").fileName;
      expected = await readSourceFile({ server: source, binlogFolder }, name);
      bytes += expected.length;
      files++;
      at = 4;
      continue;
    }
    const end = at + event.length;
    compareBytes(`${name} of kingbus`, event, expected.subarray(at, end), at);
    at = end;
    if (logPosAt(event, 0) !== at) {
      throw new CrashError(`${name}: the event before ${at} says otherwise`);
    }
    if (type !== EventType.GTID) continue;
    const gtid = decodeGtid(event)!;
    if (readable.hasGtid(gtid)) {
      throw new CrashError(`${formatGtid(gtid)} is served twice`);
    }
    readable.add(gtid.uuid, gtid.tag, gtid.gno);
    transactions++;
  }
  finish();
  const known = await binlogsOf(source);
  for (const { name } of known) {
    const whole = await readSourceFile({ server: source, binlogFolder }, name);
    const written = await Deno.readFile(witness.pathOf(name));
    compareBytes(`${name} at the witness`, written, whole, 0);
    bytes += whole.length;
  }
  const newest = known.at(-1)?.name;
  if (name !== newest) {
    throw new CrashError(`kingbus ends in ${name}, the source in ${newest}`);
  }
  return { files, bytes, transactions, readable };
}

/** Checks that `bytes` are `expected`, which begins at `start` of its file. */
function compareBytes(
  what: string,
  bytes: Uint8Array,
  expected: Uint8Array,
  start: number,
): void {
  if (Buffer.compare(bytes, expected) === 0) return;
  let at = 0;
  while (at < bytes.length && bytes[at] === expected[at]) at++;
  throw new CrashError(
    `${what} differs from the source's file from byte ${start + at} on`,
  );
}

function compareTables(
  actual: Record<string, string>,
  expected: Record<string, string>,
): void {
  for (
    const name of new Set([...Object.keys(actual), ...Object.keys(expected)])
  ) {
    if (actual[name] === expected[name]) continue;
    throw new CrashError(
      `Table ${name} of the replica is ${
        actual[name] ?? "not there"
      }, the source's ${expected[name] ?? "not there"}`,
    );
  }
}

function expectSame(
  what: string,
  actual: GtidSet,
  expected: GtidSet,
  whose: string,
): void {
  if (actual.equals(expected)) return;
  throw new CrashError(
    `${what} is ${actual}, ${whose} ${expected}`,
  );
}
