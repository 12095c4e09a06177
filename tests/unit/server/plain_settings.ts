import type { ReplicaSettings } from "../../../lib/server/replica_settings.ts";

/** What a replica of MySQL has set up that wants nothing in particular. */
export const PLAIN_SETTINGS: ReplicaSettings = {
  checksum: "crc32",
  heartbeatPeriodNs: 0n,
  uuid: "",
  semiSync: false,
  mariadbCapability: 0,
  modern: true,
  slaveConnectState: undefined,
  gtidStrictMode: false,
  ignoreDuplicates: false,
  untilGtid: undefined,
  skipReplication: false,
};
