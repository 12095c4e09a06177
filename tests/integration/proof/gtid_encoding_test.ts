import { assert } from "@std/assert";
import { parseUuid } from "../../../lib/gtid/uuid.ts";
import { ByteWriter } from "../../../lib/protocol/byte_writer.ts";
import { encodeBinlogDumpGtid } from "../../../lib/protocol/command.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { rigTest } from "../../../scripts/test_servers/rig.ts";
import { assertSameConversations } from "../../support/recorded_pair.ts";
import { ScriptedClient } from "../../support/scripted_client.ts";
import { SharedMysql97 } from "../../support/shared_mysql97.ts";
import { executedOf, valueOf } from "../../support/sql_server.ts";
import { TestKingbus } from "../../support/test_kingbus.ts";
import { TEST_TABLE } from "../../support/test_table.ts";
import { MODERN_KINDS } from "../../support/transaction_kinds.ts";

const sources = new SharedMysql97(9767);

/** One entry of a set: intervals with ends exclusive, as on the wire. */
interface Entry {
  readonly tag?: string;
  readonly tagLengthBytes?: readonly number[];
  readonly intervals: readonly (readonly [bigint, bigint])[];
}

/** Writes a set's bytes, however wrong. */
function encode(
  uuid: string,
  header: readonly number[],
  entries: readonly Entry[],
): Uint8Array {
  const writer = new ByteWriter().bytes(Uint8Array.from(header));
  for (const { tag, tagLengthBytes, intervals } of entries) {
    writer.bytes(parseUuid(uuid));
    if (tag !== undefined) {
      writer.bytes(Uint8Array.from(tagLengthBytes ?? [tag.length << 1]));
      writer.string(tag);
    }
    writer.u64(BigInt(intervals.length));
    for (const [first, end] of intervals) writer.u64(first).u64(end);
  }
  return writer.finish();
}

/** Header of a set of so many entries without tags. */
const plain = (count: number, format = 0): number[] => [
  count,
  ...[0, 0, 0, 0, 0, 0],
  format,
];
/** Header of a set of so many entries with tags. */
const tagged = (count: number, low = 1, format = 1): number[] => [
  low,
  count,
  ...[0, 0, 0, 0, 0],
  format,
];

/**
 * Sets as bytes: right, strange and wrong ones. An entry without intervals is
 * not among them: MySQL 9.7.4 crashes at it.
 */
function setsOf(uuid: string): Record<string, Uint8Array> {
  const one: Entry = { intervals: [[1n, 2n]] };
  const untagged: Entry = { tag: "", ...one };
  const blue: Entry = { tag: "blue", ...one };
  const of = (header: number[], ...entries: Entry[]): Uint8Array =>
    encode(uuid, header, entries);
  const between = (...intervals: [bigint, bigint][]): Uint8Array =>
    of(plain(1), { intervals });
  return {
    "no bytes": new Uint8Array(0),
    "seven bytes": new Uint8Array(7),
    "the empty set": of(plain(0)),
    "the empty set with tags": of(tagged(0)),
    "one": of(plain(1), one),
    "the same server twice": of(plain(2), one, {
      intervals: [[2n, 4n]],
    }),
    "one with a tag": of(tagged(1), blue),
    "one with and one without a tag": of(tagged(2), untagged, blue),
    "tags with another first byte": of(tagged(1, 0), blue),
    "tags with yet another first byte": of(tagged(1, 7), blue),
    "format 2": of(tagged(1, 2, 2), blue),
    "the empty set in format 2": of(tagged(0, 2, 2)),
    "format 255": of(tagged(1, 255, 255), blue),
    "no entry but format 2": of(plain(0, 2)),
    "intervals that touch": between([1n, 2n], [2n, 3n]),
    "intervals apart": between([1n, 2n], [4n, 6n]),
    "intervals the wrong way round": between([4n, 6n], [1n, 2n]),
    "an empty interval": between([3n, 3n]),
    "an interval that ends before it begins": between([3n, 2n]),
    "an interval from 0": between([0n, 2n]),
    "a negative interval": between([0xffff_ffff_ffff_fff0n, 2n]),
    "a byte too many": Uint8Array.from([...of(plain(1), one), 0]),
    "an entry too few": of(plain(2), one),
    "more intervals than there are": of(plain(1), one).with(24, 9),
    "a tag of 32 characters": of(tagged(1), {
      tag: "abcdefghijklmnopqrstuvwxyz_12345",
      ...one,
    }),
    "a tag of 33 characters": of(tagged(1), {
      tag: "abcdefghijklmnopqrstuvwxyz_123456",
      ...one,
    }),
    "a tag in capitals": of(tagged(1), { tag: "BLUE", ...one }),
    "a tag that begins with a digit": of(tagged(1), { tag: "1blue", ...one }),
    "a tag with a space": of(tagged(1), { tag: "bl ue", ...one }),
    "a tag whose length takes two bytes": of(tagged(1), {
      ...blue,
      tagLengthBytes: [4 << 2 | 1, 0],
    }),
  };
}

await rigTest(
  "a GTID set in any encoding is taken or refused by kingbus as by a 9.7 source",
  ["mysql97"],
  async (_rig, context) => {
    const source = await sources.asSource();
    await source.run(
      TEST_TABLE,
      "INSERT INTO test.t (data) VALUES ('one')",
      ...MODERN_KINDS["tagged GTIDs"]!,
      "INSERT INTO test.t (data) VALUES ('two')",
    );
    await using kingbus = await TestKingbus.following(source, {
      server: { identity: "source" },
    });
    await kingbus.waitUntilHas(await executedOf(source));
    const uuid = await valueOf(source, "SELECT @@server_uuid");
    for (const [what, gtidSetBytes] of Object.entries(setsOf(uuid))) {
      await context.step(what, async () => {
        const found = await assertSameConversations({
          kingbus,
          source,
          client: async ({ address }) => {
            using client = await ScriptedClient.open(
              address,
              REPLICATION_ACCOUNT,
              0,
            );
            await client.query("SET @source_binlog_checksum = 'CRC32'");
            await client.send(encodeBinlogDumpGtid({
              flags: 3,
              serverId: 0,
              fileName: "",
              position: 4n,
              gtidSetBytes,
            }));
            await client.drain();
          },
        });
        assert(found.has("scramble"));
      });
    }
  },
);
