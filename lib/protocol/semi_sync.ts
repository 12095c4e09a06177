import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";

/**
 * First byte of the two that stand before every event of a semi-synchronous
 * dump, and of the replica's acknowledgement (`plugin/semisync/semisync.h`).
 */
export const SEMI_SYNC_MAGIC = 0xef;
/** Bit of the second byte: the source waits for an acknowledgement. */
export const SEMI_SYNC_ACK_WANTED = 0x01;

/** File names are at most this long (`FN_REFLEN` of the server). */
const FILE_NAME_BYTES_MAX = 512;

/** A replica's acknowledgement: it holds the source's log up to here. */
export interface SemiSyncAck {
  /** Offset in the file after the acknowledged event. */
  readonly position: bigint;
  readonly fileName: string;
}

/** Encodes an acknowledgement; it is sent with sequence id 0. */
export function encodeSemiSyncAck(ack: SemiSyncAck): Uint8Array {
  return new ByteWriter()
    .u8(SEMI_SYNC_MAGIC)
    .u64(ack.position)
    .string(ack.fileName)
    .finish();
}

/**
 * Decodes an acknowledgement (`plugin/semisync/semisync_source_ack_receiver.cc`).
 * Whatever else a client sends during a dump has another first byte and is
 * `undefined`. Throws a `ProtocolError` (1835) when malformed.
 */
export function decodeSemiSyncAck(
  payload: Uint8Array,
): SemiSyncAck | undefined {
  if (payload[0] !== SEMI_SYNC_MAGIC) return undefined;
  const reader = new ByteReader(payload, 1);
  const position = reader.u64();
  if (reader.remaining > FILE_NAME_BYTES_MAX) {
    throw new ProtocolError(
      ErrorCode.ER_MALFORMED_PACKET,
      `Malformed communication packet: a file name of ${reader.remaining} bytes`,
    );
  }
  const fileName = reader.hasNul() ? reader.nulString() : reader.restString();
  return { position, fileName };
}
