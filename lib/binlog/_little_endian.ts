/*
 * Integers of the binlog format, by hand rather than by DataView: a DataView
 * would have to be made for every buffer, and events arrive by the million.
 * None of these checks bounds; every caller has done so.
 */

/** Unsigned, of two bytes. */
export function u16At(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | bytes[offset + 1]! << 8;
}

/** Unsigned, so the highest byte is multiplied: `<<` would make it a sign. */
export function u32At(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | bytes[offset + 1]! << 8 | bytes[offset + 2]! << 16) +
    bytes[offset + 3]! * 0x1_00_00_00;
}

/** Unsigned, of eight bytes. */
export function u64At(bytes: Uint8Array, offset: number): bigint {
  const low = u32At(bytes, offset);
  const high = u32At(bytes, offset + 4);
  // Below 2^53 the sum is exact, and one bigint is made instead of four.
  return high < 0x20_0000
    ? BigInt(high * 0x1_0000_0000 + low)
    : BigInt(high) << 32n | BigInt(low);
}

/** Takes the low 16 bits of any non-negative integer. */
export function putU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

/** Takes the low 32 bits of any non-negative integer up to 2^53. */
export function putU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

/** Takes the low 64 bits of any non-negative integer. */
export function putU64(bytes: Uint8Array, offset: number, value: bigint): void {
  putU32(bytes, offset, Number(value & 0xffff_ffffn));
  putU32(bytes, offset + 4, Number(value >> 32n));
}
