import { ErrorCode } from "./error_code.ts";
import { ProtocolError } from "./protocol_error.ts";

/** Where memory for payloads comes from that have not all arrived. */
export interface PayloadMemory {
  /** Takes so many bytes more; false, with nothing taken, if there are not as many. */
  take(bytes: number): boolean;
  /** Gives back what was taken. */
  give(bytes: number): void;
}

/**
 * What a connection may hold without asking, so that nobody's ordinary command
 * depends on what others do.
 */
export const FREE_PAYLOAD_BYTES: number = 4 * 1024;

/**
 * Takes so many bytes more; there is no limit without a memory.
 *
 * @throws {ProtocolError} 1041 if there are not as many
 */
export function takeMemory(
  memory: PayloadMemory | undefined,
  bytes: number,
): void {
  if (memory === undefined || memory.take(bytes)) return;
  throw new ProtocolError(
    ErrorCode.ER_OUT_OF_RESOURCES,
    "Too many large commands are under way at once; try again",
  );
}
