import { assert, assertEquals } from "@std/assert";
import { EventType } from "../../../lib/binlog/event_type.ts";
import {
  encodeMariadbGtidList,
  mariadbGtidListBytes,
} from "../../../lib/binlog/mariadb_gtid_list.ts";
import { MariadbGtidState } from "../../../lib/gtid/mariadb_gtid_state.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
} from "../../../lib/store/binlog_store.ts";
import { EventAppender } from "../../../lib/store/event_appender.ts";
import { appendWhole } from "../../../lib/syncer/splice.ts";
import { LogFollower } from "../../../lib/syncer/log_follower.ts";
import {
  type BinlogFixture,
  loadBinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { dumpOfFiles } from "../../support/log_from_fixtures.ts";
import { bareEvent } from "../../support/made_events.ts";
import { type NewDisk, storeTest } from "./log_run.ts";

const ORIGIN = "mariadb-8001";

/** The state of the log that the captured files make. */
const AT_END = "0-8001-1011,3-8001-1,3-77-2";

function capturedFiles(): BinlogFixture[] {
  // But for the newest one, which is marked as open.
  return loadBinlogFixtures("mariadb1011").filter(({ name }) =>
    name.startsWith("binlog.")
  ).slice(0, -1);
}

function follow(store: BinlogStore, fixtures: readonly BinlogFixture[]): void {
  const events = { fileStarted() {} };
  new LogFollower(store.writer, ORIGIN, events).push(dumpOfFiles(fixtures));
}

function appenderOf(store: BinlogStore): EventAppender {
  return new EventAppender(store.writer, {
    serverUuid: ORIGIN,
    fault: (_, message) => new TypeError(message),
  });
}

function append(appender: EventAppender, events: readonly Uint8Array[]): void {
  for (const event of events) appendWhole(appender, event);
}

/** State before a captured file, as a separate program has it. */
function listOf({ truth }: BinlogFixture): string {
  const { gtid_list } = truth as unknown as { gtid_list: string[] };
  return MariadbGtidState.parse(gtid_list.join(",")).toString();
}

/** The states of MariaDB logs are kept with them. */
export function mariadbSuite(name: string, newDisk: NewDisk): void {
  const test = (what: string, run: () => Promise<void>): void =>
    storeTest(name, what, run);

  test("a MariaDB log's state is kept at the head and before each file", async () => {
    await using disk = newDisk();
    const fixtures = capturedFiles();
    const lists = fixtures.map(listOf);
    {
      const store = await disk.open();
      assertEquals(store.writer.mariadb, undefined);
      for (const [at, fixture] of fixtures.entries()) {
        // Each file by itself, so that heads are committed in between.
        follow(store, [fixture]);
        await store.writer.flush();
        assertEquals(`${store.files[at]!.mariadbStart}`, lists[at]);
      }
      assertEquals(`${store.head!.mariadb}`, AT_END);
      assertEquals(`${store.writer.mariadb}`, AT_END);
      assertEquals(store.head!.lastGtid, "0-8001-1011");
      assert(store.head!.executed.isEmpty && store.head!.purged.isEmpty);
    }
    await using store = await disk.open();
    assertEquals(store.files.map((file) => `${file.mariadbStart}`), lists);
    assertEquals(`${store.head!.mariadb}`, AT_END);
    assertEquals(`${store.writer.mariadb}`, AT_END);
  });

  test("purge() of a MariaDB log leaves the state before the oldest file", async () => {
    await using disk = newDisk();
    const fixtures = capturedFiles();
    await using store = await disk.open();
    follow(store, fixtures);
    await store.writer.flush();
    await store.purge(4);
    assertEquals(
      store.files.map((file) => `${file.mariadbStart}`),
      fixtures.slice(3).map(listOf),
    );
    assertEquals(`${store.head!.mariadb}`, AT_END);
    assert(store.head!.purged.isEmpty);
  });

  test("rollback() takes a MariaDB log's state back to its head", async () => {
    await using disk = newDisk();
    await using store = await disk.open();
    const { writer } = store;
    const feeder = appenderOf(store);
    const log = new MadeMariadbLog(MariadbGtidState.parse("0-1-5,0-2-6"));
    feeder.startFile("binlog.000001");
    append(feeder, log.beginFile());
    append(feeder, log.transaction(0, 3, 7n));
    await writer.flush();
    assertEquals(`${store.head!.mariadb}`, "0-1-5,0-2-6,0-3-7");
    append(feeder, log.transaction(0, 1, 8n).slice(0, -1));
    assertEquals(`${writer.mariadb}`, "0-1-5,0-2-6,0-3-7");
    await writer.rollback();
    assertEquals(`${writer.mariadb}`, "0-1-5,0-2-6,0-3-7");
    log.position = writer.position;
    append(appenderOf(store), log.transaction(0, 1, 9n));
    await writer.flush();
    assertEquals(`${store.head!.mariadb}`, "0-2-6,0-3-7,0-1-9");
    assertEquals(store.head!.lastGtid, "0-1-9");
  });

  test("a MariaDB log's state of any size is kept", async () => {
    await using disk = newDisk();
    const state = new MariadbGtidState();
    for (let server = 1; server <= 5000; server++) {
      state.addParts(server % 7, server, BigInt(server));
    }
    const log = new MadeMariadbLog(state);
    {
      const store = await disk.open();
      const feeder = appenderOf(store);
      for (const file of ["binlog.000001", "binlog.000002"]) {
        feeder.startFile(file);
        append(feeder, log.beginFile());
        append(
          feeder,
          log.transaction(0, 1, 9000n + BigInt(log.state.size)),
        );
        log.state.addParts(0, 1, 9000n + BigInt(log.state.size));
        await store.writer.flush();
        assert(store.head!.mariadb!.equals(log.state));
      }
    }
    await using store = await disk.open();
    assert(store.head!.mariadb!.equals(log.state));
    assert(store.files[0]!.mariadbStart!.equals(state));
    assertEquals(store.files[1]!.mariadbStart!.size, 5001);
    await store.purge(2);
    assertEquals(store.files[0]!.mariadbStart!.size, 5001);
  });
}

/** Makes the events of a MariaDB server's files, without checksums. */
class MadeMariadbLog {
  /** Everything before the file that is begun next. */
  readonly state: MariadbGtidState;
  /** Where in the current file the next event begins. */
  position: number = FIRST_POSITION;
  readonly #format = loadBinlogFixture("mariadb1011", "binlog.000004")
    .events[0]!.bytes;

  constructor(state: MariadbGtidState) {
    this.state = state.clone();
  }

  beginFile(): Uint8Array[] {
    this.position = FIRST_POSITION + this.#format.length;
    const list = encodeMariadbGtidList(this.state, {
      timestamp: 1,
      serverId: 1,
      endPosition: this.position + mariadbGtidListBytes(this.state, "none"),
      algorithm: "none",
      artificial: false,
    });
    this.position += list.length;
    return [this.#format, list];
  }

  transaction(domain: number, server: number, sequence: bigint): Uint8Array[] {
    const body = new Uint8Array(19);
    const view = new DataView(body.buffer);
    view.setBigUint64(0, sequence, true);
    view.setUint32(8, domain, true);
    const gtid = bareEvent(EventType.MARIADB_GTID, { body, trailerBytes: 0 });
    new DataView(gtid.buffer).setUint32(5, server, true);
    return [
      gtid,
      bareEvent(EventType.TABLE_MAP, {
        body: new Uint8Array(20),
        trailerBytes: 0,
      }),
      bareEvent(EventType.XID, { body: new Uint8Array(8), trailerBytes: 0 }),
    ].map((event) => {
      this.position += event.length;
      new DataView(event.buffer).setUint32(13, this.position, true);
      return event;
    });
  }
}
