import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import {
  decodeSemiSyncAck,
  encodeSemiSyncAck,
} from "../../../lib/protocol/semi_sync.ts";
import { byteTable } from "../../support/byte_table.ts";
import { assertTruncationsRefused } from "../../support/truncation.ts";

// As captured from a MySQL 9.7 replica.
const ACK = byteTable(`ef 9e05000000000000 "binlog.000001"`);

Deno.test("decodeSemiSyncAck() reads a MySQL 9.7 replica's", () => {
  const ack = { position: 1438n, fileName: "binlog.000001" };
  assertEquals(decodeSemiSyncAck(ACK), ack);
  assertEquals(encodeSemiSyncAck(ack), ACK);
});

Deno.test("decodeSemiSyncAck() takes a name with a NUL", () => {
  const bytes = byteTable(`ef 0400000000000000 "binlog.000001" 00`);
  assertEquals(decodeSemiSyncAck(bytes)?.fileName, "binlog.000001");
});

Deno.test("decodeSemiSyncAck() leaves other packets to others", () => {
  assertEquals(decodeSemiSyncAck(byteTable("0e")), undefined);
  assertEquals(decodeSemiSyncAck(new Uint8Array(0)), undefined);
});

Deno.test("decodeSemiSyncAck() refuses a truncated position and a long name", () => {
  assertTruncationsRefused(
    (bytes) => decodeSemiSyncAck(bytes),
    ACK.subarray(0, 9),
    [0], // not an acknowledgement at all
  );
  const long = byteTable(`ef 0400000000000000 ${"61".repeat(513)}`);
  assertThrows(() => decodeSemiSyncAck(long), ProtocolError);
});
