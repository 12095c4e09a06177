/**
 * Makes bytes from an annotated table: hexadecimal digits, quoted ASCII, white
 * space, and `//` comments up to the end of the line.
 *
 * @example
 * ```ts
 * byteTable(`
 *   0400000000000000   // position
 *   "binlog.000001"    // file name
 * `);
 * ```
 */
export function byteTable(table: string): Uint8Array {
  const bytes: number[] = [];
  for (const line of table.split("\n")) {
    const parts = line.match(/"[^"]*"|\/\/.*|[0-9a-fA-F]{2}|\S/g) ?? [];
    for (const part of parts) {
      if (part.startsWith("//")) break;
      if (part.startsWith('"')) {
        bytes.push(...new TextEncoder().encode(part.slice(1, -1)));
      } else if (part.length === 2) {
        bytes.push(Number.parseInt(part, 16));
      } else {
        throw new SyntaxError(`Cannot read byte table: "${part}" in "${line}"`);
      }
    }
  }
  return Uint8Array.from(bytes);
}

/** Bytes as hexadecimal digits, for messages that can be compared. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
