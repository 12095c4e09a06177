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
