import { GtidSet } from "../gtid/gtid_set.ts";
import { MalformedGtidSetError } from "../gtid/gtid_set.ts";
import {
  Command,
  decodeBinlogDump,
  decodeBinlogDumpGtid,
} from "../protocol/command.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { DumpRequest } from "./dump_handler.ts";
import type { ReplicaSettings } from "./replica_settings.ts";

/**
 * Decodes COM_BINLOG_DUMP or COM_BINLOG_DUMP_GTID.
 *
 * @throws {ProtocolError} 1835 for a malformed packet, 1773 for a malformed set
 */
export function decodeDumpRequest(payload: Uint8Array): DumpRequest {
  if (payload[0] === Command.BINLOG_DUMP) {
    return { mode: "position", ...decodeBinlogDump(payload) };
  }
  const { gtidSetBytes, ...request } = decodeBinlogDumpGtid(payload);
  return { mode: "gtid", ...request, executed: decodeGtidSet(gtidSetBytes) };
}

/**
 * What a client asks of a MariaDB log: the position by GTID that it has set
 * comes before the file and position of the command.
 */
export function mariadbDumpRequest(
  request: DumpRequest,
  settings: ReplicaSettings,
): DumpRequest {
  const { slaveConnectState } = settings;
  if (request.mode !== "position" || slaveConnectState === undefined) {
    return request;
  }
  const { flags, serverId, fileName, position } = request;
  return {
    mode: "mariadb-gtid",
    flags,
    serverId,
    fileName,
    position,
    connectState: slaveConnectState,
    strict: settings.gtidStrictMode,
    ignoreDuplicates: settings.ignoreDuplicates,
    untilGtid: settings.untilGtid,
  };
}

function decodeGtidSet(bytes: Uint8Array): GtidSet {
  try {
    return GtidSet.decode(bytes);
  } catch (cause) {
    if (!(cause instanceof MalformedGtidSetError)) throw cause;
    throw new ProtocolError(
      ErrorCode.ER_MALFORMED_GTID_SET_ENCODING,
      "Malformed GTID set encoding.",
      { cause },
    );
  }
}
