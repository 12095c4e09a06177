import { crc32 } from "node:zlib";

/** What a seal adds to the bytes it is on. */
export const SEAL_BYTES = 4;

/**
 * Writes a seal behind bytes that are to be kept: a CRC-32 of them and of their
 * place, so that neither changed bytes nor those of another place pass.
 *
 * @param buffer what the seal goes into; has room for `SEAL_BYTES` at `end`
 * @param end offset after the bytes
 * @param place where they are kept, as in `block/17`
 * @param checksum CRC-32 of the bytes
 */
export function writeSeal(
  buffer: Uint8Array,
  end: number,
  place: string,
  checksum: number,
): void {
  const seal = crc32(place, checksum);
  buffer[end] = seal;
  buffer[end + 1] = seal >>> 8;
  buffer[end + 2] = seal >>> 16;
  buffer[end + 3] = seal >>> 24;
}

/**
 * A copy of bytes with their seal behind them; see `writeSeal`.
 *
 * @param place where they are kept
 */
export function sealBytes(
  place: string,
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(bytes.length + SEAL_BYTES);
  sealed.set(bytes);
  writeSeal(sealed, bytes.length, place, crc32(bytes));
  return sealed;
}

/**
 * The bytes in front of a seal, as a view; undefined when they are not those
 * that were sealed for that place.
 *
 * @param place where they were found
 * @param stored what was found there, of whatever type
 */
export function openSealed(
  place: string,
  stored: unknown,
): Uint8Array | undefined {
  if (!(stored instanceof Uint8Array) || stored.length < SEAL_BYTES) {
    return undefined;
  }
  const end = stored.length - SEAL_BYTES;
  const bytes = stored.subarray(0, end);
  const found = (stored[end]! | stored[end + 1]! << 8 |
    stored[end + 2]! << 16 | stored[end + 3]! << 24) >>> 0;
  return crc32(place, crc32(bytes)) === found ? bytes : undefined;
}

/** Where a block is kept, as its seal has it. */
export function blockPlace(number: number): string {
  return `block/${number}`;
}

/** Where a block's summary is kept, as its seal has it. */
export function summaryPlace(number: number): string {
  return `summary/${number}`;
}
