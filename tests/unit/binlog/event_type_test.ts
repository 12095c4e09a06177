import { assert, assertEquals } from "@std/assert";
import { EventType, eventTypeName } from "../../../lib/binlog/event_type.ts";
import {
  FIXTURE_SERVERS,
  loadBinlogFixtures,
  loadShownEventTypes,
} from "../../support/binlog_fixture.ts";

Deno.test("eventTypeName() names events as the servers' SHOW BINLOG EVENTS does", () => {
  const named = new Set<number>();
  for (const server of FIXTURE_SERVERS) {
    for (const fixture of loadBinlogFixtures(server)) {
      const shown = loadShownEventTypes(server, fixture.name);
      if (shown === undefined) continue;
      const nameAt = new Map<number, string>();
      // Events inside a compressed transaction have the position after it; the
      // event that stands there in the file comes last.
      for (const { position, name } of shown) nameAt.set(position, name);
      for (const event of fixture.events) {
        assertEquals(
          eventTypeName(event.type),
          nameAt.get(event.position),
          `${server}/${fixture.name} at ${event.position}`,
        );
        named.add(event.type);
      }
    }
  }
  assert(named.size > 25, `only ${named.size} types seen`);
});

Deno.test("eventTypeName() has a name for every known type", () => {
  for (const type of Object.values(EventType)) {
    assertEquals(eventTypeName(type) === "Unknown", type === EventType.UNKNOWN);
  }
  assertEquals(eventTypeName(43), "Unknown");
  assertEquals(eventTypeName(-1), "Unknown");
});
