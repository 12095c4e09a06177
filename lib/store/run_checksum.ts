import { crc32 } from "node:zlib";
import { CRC32_RESIDUE } from "../binlog/crc32_at.ts";
import { PACKET_HEADER_BYTES } from "./framing.ts";

/** Hexadecimal digits of the longest event that a table is made for. */
const DIGITS = 4;

/** Packets of this payload length or more can't be checked in a run. */
const PAYLOAD_BYTES_MAX = 16 ** DIGITS;

/** A table of 256 entries for each of the four bytes of a sum. */
const TABLE_ENTRIES = 4 * 256;

/** The generator polynomial of CRC-32, reflected, without its highest term. */
const POLYNOMIAL = 0xedb8_8320;

/** The polynomial 1, reflected: what the sums are coefficients of. */
const ONE = 0x8000_0000 | 0;

/**
 * Checks the checksums of many small events with one call of zlib.
 *
 * The CRC-32 of two strings of bytes follows from the two sums and the length
 * of the second string (zlib's `crc32_combine`), and an intact event with its
 * checksum at the end always has the same sum, whatever is in it. So the sum of
 * a whole run of packets follows from their headers alone, if all events are
 * intact; it is compared with what zlib makes of the bytes. A damaged event is
 * noticed exactly as if it were summed by itself.
 */
export class RunChecksum {
  // What so many zero bytes do to a sum: by digit of their number, its value,
  // byte of the sum, and that byte's value.
  readonly #zeros = zeroTables();
  // What a packet header and a status byte 0 do to a sum.
  readonly #frame = this.#zeros.subarray(
    tableAt(0, PACKET_HEADER_BYTES + 1),
    tableAt(0, PACKET_HEADER_BYTES + 2),
  );

  /**
   * Looks at the packets that begin in `bytes[start, …)`, up to one that does not
   * end there. Answers where the last one ends, if all of them carry one intact
   * event each, with checksum; `start` if they do not, or if it can't tell: a
   * packet may be too long for this, or carry something else.
   */
  intactEnd(bytes: Uint8Array, start: number): number {
    const zeros = this.#zeros;
    const frame = this.#frame;
    const last = bytes.length - PACKET_HEADER_BYTES;
    let sum = 0;
    let at = start;
    while (at < last) {
      const payload = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
      const end = at + PACKET_HEADER_BYTES + payload;
      if (payload === 0 || payload >= PAYLOAD_BYTES_MAX) break;
      if (end > bytes.length) break;
      // The sum of what came before and of the frame. A sum begins inverted and
      // ends so; the first four bytes of the frame are where that meets.
      const x = ~sum ^ (payload | bytes[at + 3]! << 24);
      sum = ~(frame[x & 0xff]! ^ frame[256 + (x >>> 8 & 0xff)]! ^
        frame[512 + (x >>> 16 & 0xff)]! ^ frame[768 + (x >>> 24)]!);
      // Then the event: so many bytes on, and an intact event's sum.
      let bytesLeft = payload - 1;
      for (let digit = 0; bytesLeft !== 0; digit++) {
        const value = bytesLeft & 0xf;
        bytesLeft >>>= 4;
        if (value === 0) continue;
        const table = tableAt(digit, value);
        sum = zeros[table + (sum & 0xff)]! ^
          zeros[table + 256 + (sum >>> 8 & 0xff)]! ^
          zeros[table + 512 + (sum >>> 16 & 0xff)]! ^
          zeros[table + 768 + (sum >>> 24)]!;
      }
      sum ^= CRC32_RESIDUE;
      at = end;
    }
    return sum >>> 0 === crc32(bytes.subarray(start, at)) ? at : start;
  }
}

function tableAt(digit: number, value: number): number {
  return (digit * 16 + value) * TABLE_ENTRIES;
}

function zeroTables(): Int32Array {
  const tables = new Int32Array(DIGITS * 16 * TABLE_ENTRIES);
  // x to the power of 8 · 16^digit: one zero byte, sixteen, …
  let step = ONE >>> 8;
  for (let digit = 0; digit < DIGITS; digit++) {
    let factor = ONE;
    for (let value = 1; value < 16; value++) {
      factor = multiply(factor, step);
      fillTable(tables.subarray(tableAt(digit, value)), factor);
    }
    step = multiply(factor, step);
  }
  return tables;
}

/** Fills a table with the products of `factor` and everything a byte can be. */
function fillTable(table: Int32Array, factor: number): void {
  for (let byte = 0; byte < 4; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      const product = multiply(factor, 1 << 8 * byte + bit);
      for (let low = 0; low < 1 << bit; low++) {
        table[256 * byte + (1 << bit) + low] = product ^
          table[256 * byte + low]!;
      }
    }
  }
}

/** The product of two polynomials over GF(2), reflected, modulo CRC-32's. */
function multiply(a: number, b: number): number {
  let product = 0;
  let term = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit & 1) !== 0) product ^= term;
    term = (term & 1) !== 0 ? term >>> 1 ^ POLYNOMIAL : term >>> 1;
  }
  return product;
}
