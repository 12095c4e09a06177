import { assert, assertEquals } from "@std/assert";
import { timestampAt } from "../../../lib/binlog/event_header.ts";
import { PacketWriter } from "../../../lib/connection/packet_writer.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { silentLog } from "../../../lib/log/log.ts";
import { LogDumpHandler } from "../../../lib/server/dump.ts";
import type {
  DumpRequest,
  DumpSession,
  DumpStatus,
} from "../../../lib/server/dump_handler.ts";
import type { BinlogStore } from "../../../lib/store/binlog_store.ts";
import { MemoryDisk } from "../../../lib/store/memory_engine.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MADE_UUID, MadeLog } from "../../support/made_log.ts";
import { PLAIN_SETTINGS } from "./plain_settings.ts";

/** Pause between two transactions of the log, in its own time. */
const STEP_S = 10;
const TRANSACTIONS = 20;

/** A log of transactions of 50 kB, each made ten seconds after the other. */
class TimedLog implements AsyncDisposable {
  readonly store: BinlogStore;
  readonly made = new MadeLog();
  readonly #feeder: LogFeeder;
  /** When each event was made, by its position. */
  readonly times = new Map<number, number>();

  private constructor(store: BinlogStore) {
    this.store = store;
    this.#feeder = new LogFeeder(store.writer);
  }

  static async open(): Promise<TimedLog> {
    const log = new TimedLog(await openMemoryStore(new MemoryDisk()));
    log.#feeder.startFile("binlog.000001");
    log.#feeder.push(log.made.beginFile());
    for (let count = 0; count < TRANSACTIONS; count++) await log.append(50_000);
    return log;
  }

  /** Appends a transaction; answers when its first event was made. */
  async append(rowBytes: number): Promise<number> {
    this.made.timestamp += STEP_S;
    let { position } = this.made;
    const events = this.made.transaction({ rows: [rowBytes] });
    const first = timestampAt(events[0]!, 0);
    for (const event of events) {
      // what is no header must not be taken for one
      event.subarray(100).fill(0x7f);
      this.times.set(position, timestampAt(event, 0));
      position += event.length;
    }
    this.#feeder.push(events);
    await this.store.writer.flush();
    return first;
  }

  /** When the event was made that is at a position or goes on there. */
  timeAt(position: number): number {
    const begins = [...this.times.keys()].filter((at) => at <= position);
    return this.times.get(Math.max(...begins))!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }
}

/** A dump to a replica that takes what comes while its gate is open. */
class GatedDump implements AsyncDisposable {
  readonly status: DumpStatus;
  /** Every value that `unsentSince` ever had. */
  readonly seen = new Set<number | undefined>();
  gate = Promise.withResolvers<void>();
  readonly #controller = new AbortController();
  readonly #running: Promise<void>;

  constructor(store: BinlogStore, request: DumpRequest) {
    const { seen } = this;
    let unsentSince: number | undefined;
    this.status = {
      file: "",
      position: 0,
      bytesSent: 0n,
      get unsentSince() {
        return unsentSince;
      },
      set unsentSince(time) {
        seen.add(time);
        unsentSince = time;
      },
    };
    const session: DumpSession = {
      connectionId: 1,
      log: silentLog(),
      writer: new PacketWriter(
        new WritableStream({ write: () => this.gate.promise }),
      ),
      settings: { ...PLAIN_SETTINGS, checksum: "none" },
      registered: undefined,
      serverId: 4242,
      writeTimeoutMs: 60_000,
      status: this.status,
      signal: this.#controller.signal,
      nextSequenceId: 1,
      takeAck: () => {},
    };
    this.#running = new LogDumpHandler(store).run(session, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gate.resolve();
    this.#controller.abort();
    await this.#running;
  }
}

const BY_POSITION: DumpRequest = {
  mode: "position",
  flags: 0,
  serverId: 77,
  fileName: "binlog.000001",
  position: 4,
};

function byGtid(executed: string): DumpRequest {
  return {
    mode: "gtid",
    flags: 0,
    serverId: 77,
    fileName: "",
    position: 4n,
    executed: GtidSet.parse(executed),
  };
}

for (
  const [mode, request] of [
    ["position", BY_POSITION],
    ["gtid", byGtid(`${MADE_UUID}:1-2`)],
  ] as const
) {
  Deno.test(`a ${mode} dump knows since when the first event waits that it has not sent`, async () => {
    await using log = await TimedLog.open();
    await using dump = new GatedDump(log.store, request);
    assertEquals(dump.status.unsentSince, undefined);
    await waitUntil("a buffer was sent", () => dump.status.bytesSent > 0n);
    const { unsentSince = 0, position } = dump.status;
    const time = log.timeAt(position);
    // exact to one block, which is hardly more than a transaction here
    assert(
      unsentSince <= time && unsentSince >= time - 3 * STEP_S,
      `${unsentSince} at ${position}, where ${time} is`,
    );
    // it takes nothing, so this does not change
    await log.append(50_000);
    assertEquals(dump.status.unsentSince, unsentSince);

    dump.gate.resolve();
    await waitUntil("all was sent", () => dump.status.unsentSince === 0);
    assertEquals(dump.status.position, log.store.head?.position);

    // nothing was to be sent for long: what comes then is not old for that
    dump.gate = Promise.withResolvers();
    const appended = await log.append(100);
    await waitUntil("it waits", () => dump.status.unsentSince === appended);
    dump.gate.resolve();
    await waitUntil("it was sent", () => dump.status.unsentSince === 0);

    const known = new Set([undefined, 0, 1_700_000_000, ...log.times.values()]);
    assertEquals(
      [...dump.seen].filter((seen) => !known.has(seen)),
      [],
      "times that no event has",
    );
  });
}

Deno.test("a GTID dump takes no part of an event that it leaves out for its time", async () => {
  await using log = await TimedLog.open();
  const leftOut: number[] = [];
  // so often that a buffer is full where one of them ends
  for (let count = 1; count <= 80; count += 2) {
    await log.append(100_000);
    await log.append(20_000);
    leftOut.push(TRANSACTIONS + count);
  }
  await using dump = new GatedDump(
    log.store,
    byGtid(`${MADE_UUID}:1-3:${leftOut.join(":")}`),
  );
  dump.gate.resolve();
  await waitUntil("all was sent", () => dump.status.unsentSince === 0);
  const known = new Set([undefined, 0, 1_700_000_000, ...log.times.values()]);
  assertEquals([...dump.seen].filter((seen) => !known.has(seen)), []);
});
