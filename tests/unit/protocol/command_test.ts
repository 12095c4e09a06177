import { assertEquals, assertThrows } from "@std/assert";
import { Capability } from "../../../lib/protocol/capability.ts";
import {
  Command,
  decodeBinlogDump,
  decodeBinlogDumpGtid,
  decodeQuery,
  decodeRegisterReplica,
  DumpFlag,
  encodeBinlogDump,
  encodeBinlogDumpGtid,
  encodeCommand,
  encodeQuery,
  encodeRegisterReplica,
} from "../../../lib/protocol/command.ts";
import { ErrorCode } from "../../../lib/protocol/error_code.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { byteTable } from "../../support/byte_table.ts";
import { assertTruncationsRefused } from "../../support/truncation.ts";

// COM_BINLOG_DUMP_GTID of a MySQL 9.7 replica that has uuid:1-4, as captured.
const DUMP_GTID = byteTable(`
  1e
  0200                              // flags: heartbeat version 2
  e6250000                          // server id 9702
  00000000                          // no file name
  0400000000000000                  // position
  30000000                          // bytes of the GTID set
  0100000000000000 d63952fde6f611f1a97902fc00000001
  0100000000000000 0100000000000000 0500000000000000
`);

// COM_REGISTER_SLAVE of the same replica, as captured.
const REGISTER = byteTable(`
  15 e6250000
  00 00 00      // host, user, password
  2f81          // port 33071
  00000000      // rank
  00000000      // source id
`);

Deno.test("decodeBinlogDumpGtid() reads a MySQL 9.7 replica's", () => {
  const dump = decodeBinlogDumpGtid(DUMP_GTID);
  assertEquals(dump, {
    flags: DumpFlag.HEARTBEAT_V2,
    serverId: 9702,
    fileName: "",
    position: 4n,
    gtidSetBytes: DUMP_GTID.subarray(23),
  });
  assertEquals(encodeBinlogDumpGtid(dump), DUMP_GTID);
});

Deno.test("decodeBinlogDumpGtid() refuses every truncation", () => {
  assertTruncationsRefused(decodeBinlogDumpGtid, DUMP_GTID);
});

Deno.test("decodeBinlogDumpGtid() cuts a name at its first NUL", () => {
  const dumpOf = (name: string, length: string) =>
    decodeBinlogDumpGtid(byteTable(`
      1e 0500 00000000 ${length}000000 ${name}
      0400000000000000 08000000 0000000000000000
    `));
  // MySQL 5.6 after a reconnect, python-mysql-replication, mysqlbinlog.
  assertEquals(dumpOf("00".repeat(13), "0d").fileName, "");
  assertEquals(dumpOf("000000", "03").fileName, "");
  assertEquals(dumpOf(`"binlog.000002"`, "0d").fileName, "binlog.000002");
  assertEquals(dumpOf(`"binlog.000002" 00`, "0e").fileName, "binlog.000002");
  assertEquals(dumpOf(`"a" 00 "b"`, "03").fileName, "a");
});

Deno.test("decodeBinlogDumpGtid() takes an empty set, for others to judge", () => {
  const dump = decodeBinlogDumpGtid(byteTable(`
    1e 0000 01000000 00000000 0400000000000000 00000000
  `));
  assertEquals(dump.gtidSetBytes.length, 0);
});

Deno.test("decodeBinlogDumpGtid() refuses lengths beyond the packet and long names", () => {
  const cases = [
    `1e 0000 01000000 ffffffff 0400000000000000 00000000`,
    `1e 0000 01000000 00000000 0400000000000000 ffffffff 00`,
    `1e 0000 01000000 01020000 ${"61".repeat(513)} 0400000000000000 00000000`,
  ];
  for (const bytes of cases) {
    const error = assertThrows(
      () => decodeBinlogDumpGtid(byteTable(bytes)),
      ProtocolError,
      "Malformed communication packet",
    );
    assertEquals(error.code, ErrorCode.ER_MALFORMED_PACKET);
  }
});

Deno.test("encodeBinlogDumpGtid() carries 64 bits of position", () => {
  const dump = {
    flags: 0,
    serverId: 0xffffffff,
    fileName: "binlog.000002",
    position: 0x1_0000_0004n,
    gtidSetBytes: new Uint8Array(8),
  };
  assertEquals(decodeBinlogDumpGtid(encodeBinlogDumpGtid(dump)), dump);
});

Deno.test("decodeBinlogDump() reads a MySQL 9.7 replica's", () => {
  const bytes = byteTable(`12 04000000 0200 e6250000 "binlog.000001"`);
  const dump = decodeBinlogDump(bytes);
  assertEquals(dump, {
    position: 4,
    flags: DumpFlag.HEARTBEAT_V2,
    serverId: 9702,
    fileName: "binlog.000001",
  });
  assertEquals(encodeBinlogDump(dump), bytes);
});

Deno.test("decodeBinlogDump() takes empty names and names with a NUL", () => {
  const nameOf = (name: string) =>
    decodeBinlogDump(byteTable(`12 04000000 0000 01000000 ${name}`)).fileName;
  assertEquals(nameOf(""), "");
  assertEquals(nameOf("00"), "");
  assertEquals(nameOf("00000000"), "");
  assertEquals(nameOf(`"binlog.000001" 00`), "binlog.000001");
});

Deno.test("decodeBinlogDump() refuses every truncation and a long name", () => {
  const bytes = byteTable("12 04000000 0200 e6250000");
  assertTruncationsRefused(decodeBinlogDump, bytes);
  const long = byteTable(`12 04000000 0000 01000000 ${"61".repeat(513)}`);
  assertThrows(() => decodeBinlogDump(long), ProtocolError);
});

Deno.test("decodeRegisterReplica() reads a MySQL 9.7 replica's", () => {
  const replica = decodeRegisterReplica(REGISTER);
  assertEquals(replica, {
    serverId: 9702,
    hostName: "",
    user: "",
    port: 33071,
    rank: 0,
    sourceId: 0,
  });
  assertEquals(encodeRegisterReplica(replica), REGISTER);
});

Deno.test("decodeRegisterReplica() reads large numbers unsigned and drops the password", () => {
  const replica = decodeRegisterReplica(byteTable(`
    15 ffffffff  04 "host"  04 "user"  06 "secret"  ffff  01000000  ffffffff
  `));
  assertEquals(replica, {
    serverId: 0xffffffff,
    hostName: "host",
    user: "user",
    port: 65535,
    rank: 1,
    sourceId: 0xffffffff,
  });
});

Deno.test("decodeRegisterReplica() refuses every truncation", () => {
  assertTruncationsRefused(decodeRegisterReplica, REGISTER);
  const named = byteTable(
    `15 01000000 04 "host" 04 "user" 02 "pw" 0100 00000000 00000000`,
  );
  assertTruncationsRefused(decodeRegisterReplica, named);
});

Deno.test("decodeQuery() reads a statement", () => {
  const bytes = byteTable(`03 "SELECT '" c3a4 "'"`);
  assertEquals(decodeQuery(bytes, 0), "SELECT 'ä'");
  assertEquals(encodeQuery("SELECT 'ä'"), bytes);
  assertEquals(decodeQuery(byteTable("03"), 0), "");
});

Deno.test("decodeQuery() passes over the header of query attributes", () => {
  // As captured from a MySQL 9.7 replica: no attributes, one set of them.
  const bytes = byteTable(`03 00 01 "SELECT UNIX_TIMESTAMP()"`);
  assertEquals(
    decodeQuery(bytes, Capability.QUERY_ATTRIBUTES),
    "SELECT UNIX_TIMESTAMP()",
  );
  assertEquals(decodeQuery(bytes, 0), "\0\x01SELECT UNIX_TIMESTAMP()");
});

Deno.test("encodeCommand() writes a single byte", () => {
  assertEquals(encodeCommand(Command.PING), byteTable("0e"));
});

Deno.test("decoders refuse another command's payload and an empty one", () => {
  for (
    const decode of [
      decodeBinlogDump,
      decodeBinlogDumpGtid,
      decodeRegisterReplica,
      (payload: Uint8Array) => decodeQuery(payload, 0),
    ]
  ) {
    assertThrows(() => decode(byteTable("0e")), ProtocolError, "command 14");
    assertThrows(() => decode(new Uint8Array(0)), ProtocolError);
  }
});
