import { assert, assertEquals } from "@std/assert";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import {
  checksumBytes,
  eventChecksumOk,
} from "../../../lib/binlog/checksum.ts";
import { decodeEventHeader } from "../../../lib/binlog/event_header.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import { decodeFormatDescription } from "../../../lib/binlog/format_description.ts";
import { GtidReader } from "../../../lib/binlog/gtid_event.ts";
import { decodePreviousGtids } from "../../../lib/binlog/previous_gtids.ts";
import {
  BoundaryStep,
  TransactionBoundary,
} from "../../../lib/binlog/transaction_boundary.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";

// One pass over every file of every server, as the syncer makes it: what comes
// out must be what a separate program found in the same bytes.
for (const server of FIXTURE_SERVERS) {
  for (const fixture of loadBinlogFixtures(server)) {
    const { bytes, truth } = fixture;
    const where = `${server}/${fixture.name}`;

    Deno.test(`every header and checksum of ${where} is as known`, () => {
      assertEquals(bytes.length, truth.size);
      assertEquals(fixture.events.length, truth.event_list.length);
      for (const { position, bytes: event, truth: known } of fixture.events) {
        assertEquals(position, known.pos);
        assertEquals(decodeEventHeader(bytes, position), {
          timestamp: known.timestamp,
          type: known.type,
          serverId: known.server_id,
          eventSize: known.size,
          logPos: known.log_pos,
          flags: known.flags,
        });
        // A format description has a checksum even in a file without.
        const summed = fixture.algorithm === "crc32" ||
          known.type === EventType.FORMAT_DESCRIPTION;
        assertEquals(summed, known.crc32_ok !== undefined);
        assertEquals(eventChecksumOk(event), summed);
      }
    });

    Deno.test(`the transactions of ${where} are as known`, () => {
      const boundary = new TransactionBoundary();
      const reader = new GtidReader();
      let executed = new GtidSet();
      const gtids: string[] = [];
      let ends = 0;
      let begun = 0;
      let trailerBytes = 0;
      for (const { position, type, bytes: event } of fixture.events) {
        const size = event.length;
        if (type === EventType.FORMAT_DESCRIPTION) {
          const { checksumAlgorithm } = decodeFormatDescription(event);
          trailerBytes = checksumBytes(checksumAlgorithm);
        } else if (type === EventType.PREVIOUS_GTIDS) {
          executed = decodePreviousGtids(event, fixture.algorithm);
        } else if (
          type === EventType.GTID || type === EventType.ANONYMOUS_GTID ||
          type === EventType.GTID_TAGGED || type === EventType.MARIADB_GTID
        ) {
          assertEquals(boundary.inTransaction, false);
          begun++;
        }
        if (reader.read(bytes, position, size)) {
          assert(!executed.has(reader.uuid, reader.tag, reader.gno));
          executed.add(reader.uuid, reader.tag, reader.gno);
          gtids.push(reader.uuid);
        }
        const result = boundary.step(type, bytes, position, size, trailerBytes);
        if (result === BoundaryStep.ENDS) ends++;
        assertEquals(boundary.inTransaction, result === BoundaryStep.INSIDE);
      }
      assertEquals(boundary.inTransaction, false);
      assertEquals(ends, begun);
      if (server === "mariadb1011") {
        assertEquals(ends, truth.gtids_in_file.length);
      } else {
        assertEquals(gtids.length, truth.gtids_in_file.length);
        assertEquals(executed.toString(), truth.executed_after);
      }
    });
  }
}
