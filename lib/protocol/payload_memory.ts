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

/** What one connection holds of a memory, beyond what it may without asking. */
export class HeldPayload {
  readonly #memory: PayloadMemory | undefined;
  #bytes = 0;

  /** @param memory without a limit if absent */
  constructor(memory: PayloadMemory | undefined) {
    this.#memory = memory;
  }

  /**
   * Holds so many bytes from now on.
   *
   * @throws {ProtocolError} 1041 if there are not as many; what was held stays
   */
  set(bytes: number): void {
    if (this.#memory === undefined) return;
    const more = Math.max(0, bytes - FREE_PAYLOAD_BYTES) - this.#bytes;
    if (more > 0 && !this.#memory.take(more)) {
      throw new ProtocolError(
        ErrorCode.ER_OUT_OF_RESOURCES,
        "Too many large commands are under way at once; try again",
      );
    }
    if (more < 0) this.#memory.give(-more);
    this.#bytes += more;
  }
}
