import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";

/** MySQL cuts the text of a 1236 there: its buffer of 512 bytes ends in a NUL. */
export const FATAL_MESSAGE_BYTES_MAX = 511;

/**
 * The error for which a replica stops and shows its text, instead of trying
 * again: ER_SOURCE_FATAL_ERROR_READING_BINLOG.
 */
export function fatalDumpError(message: string): ProtocolError {
  return new ProtocolError(
    ErrorCode.ER_SOURCE_FATAL_ERROR_READING_BINLOG,
    message.slice(0, FATAL_MESSAGE_BYTES_MAX),
  );
}
