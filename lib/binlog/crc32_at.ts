import { crc32 as zlibCrc32 } from "node:zlib";

/**
 * The CRC-32 of any bytes followed by their own CRC-32, little-endian: what an
 * intact event with a checksum gives as a whole.
 */
export const CRC32_RESIDUE = 0x2144_df1c;

/**
 * Up to this many bytes the table below is faster than a call out of
 * JavaScript with a view made for it.
 */
const TABLE_BYTES_MAX = 128;

/** Eight tables of 256: the sum of a byte that 0 to 7 more bytes follow. */
const TABLE = slicingTable();

/**
 * CRC-32 (IEEE 802.3) of `bytes[offset, offset + size)`, unsigned. For the
 * many small events of a log: it needs no view of the range.
 *
 * @param previous the sum of what comes before, to go on from
 */
export function crc32At(
  bytes: Uint8Array,
  offset: number,
  size: number,
  previous = 0,
): number {
  if (size > TABLE_BYTES_MAX) {
    return zlibCrc32(bytes.subarray(offset, offset + size), previous);
  }
  const table = TABLE;
  let crc = ~previous;
  let at = offset;
  // Eight bytes a round ("slicing by 8").
  for (const end = offset + (size & ~7); at < end; at += 8) {
    const low = crc ^
      (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 |
        bytes[at + 3]! << 24);
    crc = table[1792 + (low & 0xff)]! ^
      table[1536 + (low >>> 8 & 0xff)]! ^
      table[1280 + (low >>> 16 & 0xff)]! ^
      table[1024 + (low >>> 24)]! ^
      table[768 + bytes[at + 4]!]! ^
      table[512 + bytes[at + 5]!]! ^
      table[256 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (const end = offset + size; at < end; at++) {
    crc = crc >>> 8 ^ table[(crc ^ bytes[at]!) & 0xff]!;
  }
  return ~crc >>> 0;
}

function slicingTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) !== 0 ? crc >>> 1 ^ 0xedb8_8320 : crc >>> 1;
    }
    table[byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let more = 1; more < 8; more++) {
      const crc = table[(more - 1) * 256 + byte]!;
      table[more * 256 + byte] = crc >>> 8 ^ table[crc & 0xff]!;
    }
  }
  return table;
}
