import { patchFormatDescription } from "../binlog/format_description.ts";
import { sameBytes } from "../store/same_bytes.ts";

/**
 * Whether two format descriptions are that of one file, as it is stored or as
 * any dump carries it. A source that was reset writes files of the same names,
 * and by the same statements may come to the same positions and GTIDs; the time
 * at which a file was made is in its format description.
 */
export function isSameFile(one: Uint8Array, other: Uint8Array): boolean {
  // In a file without checksums it depends on the sender.
  const clear = { clearPosition: true, resum: true };
  return sameBytes(
    patchFormatDescription(one, clear),
    patchFormatDescription(other, clear),
  );
}
