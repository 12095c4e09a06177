/** Number of bytes a UUID takes on the wire. */
export const UUID_BYTES = 16;

/** A UUID in the only text form the rest of the code uses: lower-case, 36 characters. */
const CANONICAL_UUID =
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const HEX_OF_BYTE: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

/**
 * Says whether a text is a UUID in canonical form: 36 characters, lower-case,
 * dashes at the usual places. {@linkcode Gtid.uuid} and the keys of a
 * {@linkcode GtidSet} always are.
 *
 * @param text What to look at.
 * @returns True for the canonical form only; false for upper case.
 */
export function isCanonicalUuid(text: string): boolean {
  return CANONICAL_UUID.test(text);
}

/**
 * Reads the text form of a server UUID.
 *
 * @param text 36 characters, either case.
 * @returns The 16 bytes as they stand in GTID events and encoded GTID sets.
 * @throws {SyntaxError} If the text is anything else.
 */
export function parseUuid(text: string): Uint8Array {
  const lower = text.toLowerCase();
  if (!CANONICAL_UUID.test(lower)) {
    throw new SyntaxError(
      `Cannot parse UUID: expected 36 characters like "3e11fa47-71ca-11e1-9e33-c80aa9429562", got "${
        text.slice(0, 64)
      }"`,
    );
  }
  const digits = lower.replaceAll("-", "");
  const bytes = new Uint8Array(UUID_BYTES);
  for (let i = 0; i < UUID_BYTES; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/**
 * Writes 16 bytes as a UUID.
 *
 * @param bytes Where the UUID stands.
 * @param offset Index of its first byte.
 * @returns 36 lower-case characters.
 * @throws {RangeError} If fewer than 16 bytes follow the offset.
 */
export function formatUuid(bytes: Uint8Array, offset = 0): string {
  if (!(offset >= 0 && offset + UUID_BYTES <= bytes.length)) {
    throw new RangeError(
      `Cannot format UUID: ${UUID_BYTES} bytes needed at offset ${offset}, ${bytes.length} bytes given`,
    );
  }
  let text = "";
  for (let i = 0; i < UUID_BYTES; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX_OF_BYTE[bytes[offset + i]!];
  }
  return text;
}
