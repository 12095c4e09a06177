import { assert, assertEquals } from "@std/assert";
import { eventTypeAt, logPosAt } from "../../../lib/binlog/event_header.ts";
import { eventTypeName } from "../../../lib/binlog/event_type.ts";
import { decodeRotate } from "../../../lib/binlog/rotate.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { isArtificialRotate } from "../../support/dump_client.ts";
import { makeSemiSyncSource } from "../../support/semi_sync_plugin.ts";
import {
  SemiSyncClient,
  type SemiSyncPacket,
} from "../../support/semi_sync_client.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf, logEndOf } from "../../support/sql_server.ts";
import { type ServerAddress, TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import {
  MODERN_KINDS,
  TRANSACTION_KINDS,
} from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9775, ["--max-allowed-packet=64M"]);

/** What is committed while the dumps run. */
const LIVE: readonly (readonly string[])[] = [
  ["INSERT INTO test.t (data) VALUES ('live')"],
  ...Object.values(TRANSACTION_KINDS),
  ...Object.values(MODERN_KINDS),
  ["INSERT INTO test.t (data) VALUES (REPEAT('x', 200000))"],
  ["FLUSH LOGS"],
  ["INSERT INTO test.t (data) VALUES ('another file')"],
  // Packets of 16 MiB: 44 bytes of event around the data, 1 or 3 before that.
  ...Array.from({ length: 8 }, (_, n) => [
    `INSERT INTO test.t (data) VALUES (REPEAT('x', (16 << 20) - ${44 + n}))`,
  ]),
  ["INSERT INTO test.t (data) VALUES ('last')"],
];

/** Takes the packets of one dump as they come, and acknowledges as asked. */
class Taking implements AsyncDisposable {
  readonly packets: SemiSyncPacket[] = [];
  readonly #client: SemiSyncClient;
  readonly #taking: Promise<void>;
  #file = "";
  #position = 0;
  #fault: unknown;
  #closed = false;

  private constructor(client: SemiSyncClient) {
    this.#client = client;
    this.#taking = this.#take();
  }

  static async open(address: ServerAddress, serverId: number): Promise<Taking> {
    return new Taking(
      await SemiSyncClient.open(address, {
        fileName: "binlog.000001",
        position: 4,
        serverId,
      }),
    );
  }

  async waitUntilAt(fileName: string, position: number): Promise<void> {
    await waitUntil(`the packets up to ${fileName}:${position} came`, () => {
      if (this.#fault !== undefined) throw this.#fault;
      return this.#file === fileName && this.#position === position;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#client[Symbol.asyncDispose]();
    await this.#taking;
  }

  async #take(): Promise<void> {
    try {
      for (;;) {
        const packet = await this.#client.next();
        if (packet === null) throw new TypeError("The dump ended");
        this.packets.push(packet);
        const event = packet.payload.subarray(3);
        const position = logPosAt(event, 0);
        if (isArtificialRotate(event)) {
          this.#file = decodeRotate(event, "crc32").fileName;
        }
        if (packet.payload[2] === 1) {
          await this.#client.acknowledge(this.#file, position);
        }
        this.#position = position;
      }
    } catch (error) {
      if (!this.#closed) this.#fault = error;
    }
  }
}

/** A packet in one line. */
function describe({ sequenceId, payload }: SemiSyncPacket): string {
  const event = payload.subarray(3);
  return `${sequenceId}: ${[...payload.subarray(0, 3)]} ${
    eventTypeName(eventTypeAt(event, 0))
  } of ${event.length} bytes to ${logPosAt(event, 0)}`;
}

await rigTest(
  "kingbus sends semi-synchronous packets as a source does, to the byte",
  ["mysql97"],
  async () => {
    const source = await sources.asSource();
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('old'), ('older')",
      "FLUSH LOGS",
      "INSERT INTO test.t (data) VALUES ('old still')",
    );
    await using kingbus = await TestKingbus.following(source, {
      server: {
        identity: "source",
        semiSync: { replicas: 0, timeoutMs: 1000 },
      },
    });
    await kingbus.waitUntilHas(await executedOf(source));
    await using _semiSync = await makeSemiSyncSource(source);
    await using ofSource = await Taking.open(source, 801);
    await using ofKingbus = await Taking.open(kingbus, 802);
    const bothAtEnd = async (): Promise<void> => {
      const { fileName, position } = await logEndOf(source);
      await ofSource.waitUntilAt(fileName, position);
      await ofKingbus.waitUntilAt(fileName, position);
    };
    await bothAtEnd();
    const old = ofSource.packets.length;
    for (const statements of LIVE) {
      await source.run(...statements);
      await bothAtEnd();
    }
    const packets = [ofSource.packets, ofKingbus.packets];
    const [expected, actual] = packets.map((all) => all.map(describe));
    // Line by line first: a difference can be read there.
    assertEquals(actual, expected);
    for (const [index, packet] of packets[1]!.entries()) {
      const other = packets[0]![index]!;
      const differs = packet.payload.findIndex((byte, at) =>
        byte !== other.payload[at]
      );
      assertEquals(differs, -1, `${expected![index]} differs at ${differs}`);
    }
    const sizes = packets[1]!.map(({ payload }) => payload.length);
    for (const size of [-2, -1, 0, 1, 2].map((more) => 0xff_ffff + more)) {
      assert(sizes.includes(size), `no packet of ${size} bytes`);
    }
    const asked = packets[1]!.filter(({ payload }) => payload[2] === 1);
    assert(asked.length > LIVE.length, `${asked.length}`);
    assert(packets[1]!.slice(0, old).every(({ payload }) => payload[2] === 0));
  },
);
