import { GtidSet } from "../../gtid/gtid_set.ts";
import { FaultList } from "./fault_list.ts";
import { LogVerifier } from "./log_verifier.ts";
import type { VerifyOptions } from "./verify_options.ts";
import type { VerifyReport } from "./verify_report.ts";
import { valueOf, type VerifySource } from "./verify_source.ts";

const FAULTS_MAX_DEFAULT = 100;

/**
 * Checks all that a store holds against all else that it holds: every event as
 * if it came from a source just now, and every block, summary, file record and
 * the head against what the events say. Reads only.
 *
 * @throws {StoreError} `io` when it can't be read
 */
export async function verifyLog(
  source: VerifySource,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const { signal, faultsMax = FAULTS_MAX_DEFAULT } = options;
  const records = await source.records();
  const verifier = new LogVerifier(source, records, {
    faults: new FaultList(faultsMax, (fault) => options.onFault?.(fault)),
    onProgress: (done, total) => options.onProgress?.(done, total),
    signal,
  });
  const report = await verifier.run();
  if (!verifier.headIsSuspect) return report;
  // What comes behind such a head may be sound: look again without it.
  const { plan } = await new LogVerifier(source, await source.records(true), {
    faults: new FaultList(0),
    signal,
    purged: GtidSet.decode(valueOf(records.head)!.purged),
  }).run();
  return { ...report, plan };
}
