import {
  Command,
  decodeBinlogDump,
  decodeBinlogDumpGtid,
  decodeQuery,
  decodeRegisterReplica,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeQuery,
  encodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import { Capability } from "../../../lib/protocol/capability.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import {
  decodeErr,
  decodeOk,
  encodeEof,
  encodeErr,
  encodeOk,
} from "../../../lib/protocol/response.ts";
import {
  encodeTextResultSet,
  textColumn,
  TextResultSetDecoder,
} from "../../../lib/protocol/result_set.ts";
import {
  decodeSemiSyncAck,
  encodeSemiSyncAck,
} from "../../../lib/protocol/semi_sync.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { decodeDumpRequest } from "../../../lib/server/dump_request.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { byteTable, hex } from "../../support/byte_table.ts";
import { splitPackets } from "../../support/dump_packets.ts";
import { FuzzInput, joinRuns, withChoices } from "../fuzz_input.ts";
import { type FuzzTarget, outcomeOf, require } from "../fuzz_target.ts";

/** A set that tagged GTIDs are in too. */
export const SOME_SET: string =
  "d63952fd-e6f6-11f1-a979-02fc00000001:1-5:7:tag:3-9,00000000-0000-0000-0000-000000000001:1";

const GTID_DUMP = encodeBinlogDumpGtid({
  flags: 5,
  serverId: 77,
  fileName: "",
  position: 4n,
  gtidSetBytes: GtidSet.parse(SOME_SET).encode(),
});

/** Two attributes, one of them NULL, and a statement. */
const QUERY_WITH_ATTRIBUTES = byteTable(`
  03 02 01 02 01
  fe00 03 "one" 0800 03 "two"
  05 "value"
  "SELECT 1"
`);

const ALL = 0xffff_ffff;

function answerOf(rows: (string | null)[][], capabilities: number): Uint8Array {
  const bytes = encodeTextResultSet(
    { columns: [textColumn("Variable_name"), textColumn("Value")], rows },
    capabilities,
    1,
  );
  return joinRuns(splitPackets(bytes).map(({ payload }) => payload));
}

/** Text with a name that is valid UTF-8 comes back as it was. */
function isText(text: string): boolean {
  return !text.includes("\ufffd") && !text.includes("\0");
}

function command(payload: Uint8Array): unknown {
  switch (payload[0]) {
    case Command.BINLOG_DUMP: {
      const dump = decodeBinlogDump(payload);
      decodeDumpRequest(payload);
      if (isText(dump.fileName)) {
        const again = encodeBinlogDump(dump);
        require(
          hex(again) === hex(payload.subarray(0, again.length)),
          "encode(decode(x)) begins x",
        );
      }
      return dump;
    }
    case Command.BINLOG_DUMP_GTID: {
      const dump = decodeBinlogDumpGtid(payload);
      if (isText(dump.fileName)) {
        const again = decodeBinlogDumpGtid(encodeBinlogDumpGtid(dump));
        require(
          hex(again.gtidSetBytes) === hex(dump.gtidSetBytes) &&
            again.position === dump.position,
          "decode(encode(x)) is x",
        );
      }
      return decodeDumpRequest(payload);
    }
    case Command.REGISTER_SLAVE: {
      const replica = decodeRegisterReplica(payload);
      if (isText(replica.hostName) && isText(replica.user)) {
        const again = decodeRegisterReplica(encodeRegisterReplica(replica));
        require(
          JSON.stringify(again) === JSON.stringify(replica),
          "decode(encode(x)) is x",
        );
      }
      return replica;
    }
    default:
      payload[0] = Command.QUERY;
      return decodeQuery(
        payload,
        payload.length % 2 === 0 ? Capability.QUERY_ATTRIBUTES : 0,
      );
  }
}

/** What clients send after the login, and what servers answer. */
export const COMMAND_TARGETS: readonly FuzzTarget[] = [
  {
    name: "command",
    corpus: [
      encodeBinlogDump({
        position: 4,
        flags: 0,
        serverId: 7,
        fileName: "binlog.000001",
      }),
      GTID_DUMP,
      encodeRegisterReplica({
        serverId: 7,
        hostName: "replica",
        user: "repl",
        port: 3306,
        rank: 0,
        sourceId: 1,
      }),
      encodeQuery("SHOW VARIABLES LIKE 'SERVER_ID'"),
      QUERY_WITH_ATTRIBUTES,
    ],
    run: (bytes) => outcomeOf(() => command(bytes), ProtocolError),
  },
  {
    name: "query-attributes",
    corpus: [QUERY_WITH_ATTRIBUTES],
    run(bytes) {
      bytes[0] = Command.QUERY;
      return outcomeOf(() => decodeQuery(bytes, ALL), ProtocolError);
    },
  },
  {
    name: "response",
    corpus: [
      encodeOk({ affectedRows: 300, info: "Rows matched: 1", warnings: 2 }),
      encodeErr({ code: 1236, sqlState: "HY000", message: "Could not find" }),
      encodeEof(),
    ],
    run: (bytes) =>
      [
        outcomeOf(() => {
          const ok = decodeOk(bytes);
          const again = decodeOk(encodeOk(ok));
          require(
            Object.entries(ok).every(([name, value]) =>
              again[name as keyof typeof again] === value
            ),
            "decode(encode(x)) is x",
          );
          return ok;
        }, ProtocolError),
        // a server's error is the value that is decoded
        outcomeOf(() => String(decodeErr(bytes)), ProtocolError),
      ].join(" | "),
  },
  {
    name: "result-set",
    corpus: [
      withChoices([0], answerOf([["SERVER_ID", "9701"], ["x", null]], 0)),
      withChoices(
        [1],
        answerOf([["a", "b"], ["c", null]], Capability.DEPRECATE_EOF),
      ),
      withChoices([0], joinRuns([encodeOk()])),
      withChoices(
        [0],
        joinRuns([encodeErr({ code: 1064, sqlState: "42000", message: "no" })]),
      ),
    ],
    run(bytes) {
      const input = new FuzzInput(bytes);
      const decoder = new TextResultSetDecoder(
        input.flag() ? Capability.DEPRECATE_EOF : 0,
        10_000,
      );
      return outcomeOf(
        () => {
          for (const payload of input.runs(500)) {
            if (!decoder.push(payload)) continue;
            const { columns, rows } = decoder.answer();
            require(
              rows.every((row) => row.length === columns.length),
              "rows are as wide as the columns are many",
            );
            return [columns.length, rows.length].map((n) => Math.min(n, 3))
              .join();
          }
          return "more";
        },
        ProtocolError,
        ServerError,
      );
    },
  },
  {
    name: "semi-sync-ack",
    corpus: [encodeSemiSyncAck({ position: 1234n, fileName: "binlog.000007" })],
    run: (bytes) =>
      outcomeOf(() => {
        const ack = decodeSemiSyncAck(bytes);
        if (ack !== undefined && isText(ack.fileName)) {
          const again = decodeSemiSyncAck(encodeSemiSyncAck(ack));
          require(
            again?.position === ack.position && again.fileName === ack.fileName,
            "decode(encode(x)) is x",
          );
        }
        return ack;
      }, ProtocolError),
  },
];
