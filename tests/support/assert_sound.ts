import { assert, assertEquals } from "@std/assert";
import { KvVerifySource } from "../../lib/store/kv/kv_verify_source.ts";
import { verifyLog } from "../../lib/store/verify/verify_log.ts";
import type { TestKingbus } from "./test_kingbus.ts";

/** Checks all that kingbus has stored, event by event, and what is noted of it. */
export async function assertSound(kingbus: TestKingbus): Promise<void> {
  await kingbus.store.writer.flush();
  await using source = await KvVerifySource.open(kingbus.databasePath);
  const { faults, transactions } = await verifyLog(source);
  assertEquals(faults, []);
  assert(transactions > 0);
}
