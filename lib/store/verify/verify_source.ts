import type { FileRecord, HeadRecord } from "../block_engine.ts";

/** A record as it was found: sound, or what is wrong with it. */
export type Found<T> = { readonly value: T } | { readonly fault: string };

/** The records of a log as far as they are sound. */
export interface FoundRecords {
  /** Undefined for a log that is empty. */
  readonly head: Found<HeadRecord> | undefined;
  /** By number, ascending. */
  readonly files: ReadonlyMap<number, Found<FileRecord>>;
  /** The bytes of the block that is not whole; undefined if there is none. */
  readonly tail: Found<Uint8Array> | undefined;
  /** The oldest whole block there is; undefined if there is none. */
  readonly oldestBlock: number | undefined;
  /** Names of values beside the log that are damaged. */
  readonly damagedMeta: readonly string[];
  /** What else is wrong, as sentences without their full stops. */
  readonly faults: readonly string[];
}

/** What `verifyLog` reads; it writes nothing. */
export interface VerifySource {
  /**
   * The records, of one moment.
   *
   * @param ignoresHead true to take the head for damaged, whatever it says
   */
  records(ignoresHead?: boolean): Promise<FoundRecords>;
  /** See `BlockEngine.readBlocks`. */
  readBlocks(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]>;
  /** See `BlockEngine.readSummaries`. */
  readSummaries(
    first: number,
    count: number,
  ): Promise<readonly (Uint8Array | undefined)[]>;
  /** The number of the oldest file there is now: others may purge meanwhile. */
  oldestFile(): Promise<number | undefined>;
}

/** A record if it is there and sound. */
export function valueOf<T>(found: Found<T> | undefined): T | undefined {
  return found !== undefined && "value" in found ? found.value : undefined;
}
