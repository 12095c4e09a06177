import { assert, assertEquals } from "@std/assert";
import {
  EventDescriber,
  type EventDescription,
} from "../../../lib/binlog/describe_event.ts";
import { EventType } from "../../../lib/binlog/event_type.ts";
import {
  type BinlogFixture,
  FIXTURE_SERVERS,
  loadBinlogFixtures,
  loadShownEvents,
} from "../../support/binlog_fixture.ts";
import { bareEvent } from "../../support/made_events.ts";

function describerOf(fixture: BinlogFixture): EventDescriber {
  return new EventDescriber({
    serverVersion: fixture.truth.fde.server_version,
    algorithm: fixture.algorithm,
  });
}

/** Type and info of an event and of those compressed in it. */
function rowsOf(description: EventDescription): [string, string][] {
  const { type, info, inner = [] } = description;
  return [[type, info], ...inner.flatMap(rowsOf)];
}

for (const server of FIXTURE_SERVERS) {
  Deno.test(`EventDescriber says of every event what ${server} says`, () => {
    let compared = 0;
    for (const fixture of loadBinlogFixtures(server)) {
      const shown = loadShownEvents(server, fixture.name);
      if (shown === undefined) continue;
      const describer = describerOf(fixture);
      const ours = fixture.events.flatMap(({ bytes }) =>
        rowsOf(describer.describe(bytes))
      );
      for (const [index, { type, info }] of shown.entries()) {
        assertEquals(
          [fixture.name, index, ...ours[index]!],
          [fixture.name, index, type, info],
        );
        compared++;
      }
      assertEquals(ours.length, shown.length);
    }
    assert(compared > 60, `${compared} events`);
  });
}

Deno.test("EventDescriber names the table of rows events and the database of statements", () => {
  const fixture = loadBinlogFixtures("mysql97")[1]!;
  const describer = describerOf(fixture);
  let rows = 0;
  let map: EventDescription | undefined;
  for (const { bytes, truth } of fixture.events) {
    const described = describer.describe(bytes);
    if (truth.type === EventType.TABLE_MAP) map = described;
    if (truth.type === EventType.WRITE_ROWS) {
      assertEquals(
        [described.database, described.table],
        [map?.database, map?.table],
      );
      assert(described.table !== undefined);
      rows++;
    }
    if (truth.gtid !== undefined) assertEquals(described.gtid, truth.gtid);
    if (truth.db) assertEquals(described.database, truth.db);
  }
  assert(rows > 0);
});

Deno.test("EventDescriber stands any damage", () => {
  for (const server of FIXTURE_SERVERS) {
    for (const fixture of loadBinlogFixtures(server)) {
      for (const { bytes } of fixture.events) {
        if (bytes.length > 2_000) continue;
        const describer = describerOf(fixture);
        // The begin of the event, its size as it is, and with a size as cut.
        for (let length = 19; length < bytes.length; length++) {
          const begin = bytes.slice(0, length);
          describer.describe(begin);
          new DataView(begin.buffer).setUint32(9, length, true);
          describer.describe(begin);
        }
        for (let at = 19; at < bytes.length; at += 3) {
          const changed = bytes.slice();
          changed[at]! ^= 0xff;
          describer.describe(changed);
        }
      }
    }
  }
});

Deno.test("EventDescriber says how a statement begins that is not whole", () => {
  const fixture = loadBinlogFixtures("mysql56")[1]!;
  const event = fixture.events.find(({ type, bytes }) =>
    type === EventType.QUERY &&
    new TextDecoder().decode(bytes).includes("CREATE TABLE t1 (")
  )!;
  const begin = event.bytes.subarray(0, event.bytes.length - 100);
  const { info } = describerOf(fixture).describe(begin);
  assert(info.startsWith("use `fx`; CREATE TABLE t1"), info);
  assert(info.endsWith("…"), info);
});

Deno.test("EventDescriber shows numbers in user variables", () => {
  const describer = new EventDescriber({
    serverVersion: "8.4.0",
    algorithm: "none",
  });
  const info = (type: number, value: number[], flags = 0): string => {
    const body = new Uint8Array([
      ...[1, 0, 0, 0, 0x76], // name "v"
      ...[0, type, 63, 0, 0, 0, value.length, 0, 0, 0],
      ...value,
      flags,
    ]);
    const options = { body, trailerBytes: 0 };
    return describer.describe(bareEvent(EventType.USER_VAR, options)).info;
  };
  const minusTwo = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
  assertEquals(info(2, minusTwo), "@`v`=-2");
  assertEquals(info(2, minusTwo, 1), "@`v`=18446744073709551614");
  assertEquals(info(1, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]), "@`v`=1.5");
  // 1234567890.1234, precision 14, scale 4, as the manual of decimal2bin has it
  const decimal = [0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2];
  assertEquals(info(4, [14, 4, ...decimal]), "@`v`=1234567890.1234");
  const negative = decimal.map((byte) => byte ^ 0xff);
  assertEquals(info(4, [14, 4, ...negative]), "@`v`=-1234567890.1234");
  assertEquals(info(0, [0x61]), "@`v`=_binary 0x61 COLLATE binary");
});
