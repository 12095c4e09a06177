import { encodeArtificialRotate } from "../../lib/binlog/rotate.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
} from "../../lib/store/binlog_store.ts";
import { openMemoryStore } from "../../lib/store/memory_store.ts";
import { LogFollower } from "../../lib/syncer/log_follower.ts";
import type { BinlogFixture } from "./binlog_fixture.ts";
import { dumpPackets } from "./dump_packets.ts";

/** The stream with which a source dumps whole files. */
export function dumpOfFiles(fixtures: readonly BinlogFixture[]): Uint8Array {
  return dumpPackets(
    fixtures.flatMap((fixture, index) => [
      encodeArtificialRotate({
        serverId: 1,
        fileName: fixture.name,
        position: BigInt(FIRST_POSITION),
        algorithm: fixtures[index - 1]?.algorithm ?? "none",
      }),
      ...fixture.events.map((event) => event.bytes),
    ]),
  );
}

/** A log in memory that holds captured files, followed as from `serverUuid`. */
export async function logFromFixtures(
  fixtures: readonly BinlogFixture[],
  serverUuid: string,
): Promise<BinlogStore> {
  const store = await openMemoryStore();
  const follower = new LogFollower(store.writer, serverUuid, {
    fileStarted() {},
  });
  follower.push(dumpOfFiles(fixtures));
  await store.writer.flush();
  return store;
}
