import { GtidSet } from "../gtid/gtid_set.ts";
import { type BlockSummary, StoreError } from "./binlog_store.ts";

const VERSION = 1;
const FIXED_BYTES = 46;
const NO_EVENT = 0xffff_ffff;

// Bits of the second byte.
const HAS_CONTROL = 1;
const ENDS_INSIDE = 2;

/**
 * A block summary as bytes: a fixed little-endian part, then the wire form of
 * the GTID set. Positions take 48 bits, enough for any binlog file.
 */
export function encodeSummary(summary: BlockSummary): Uint8Array<ArrayBuffer> {
  const began = summary.began.isEmpty
    ? new Uint8Array(0)
    : summary.began.encode();
  const bytes = new Uint8Array(FIXED_BYTES + began.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = (summary.hasControl ? HAS_CONTROL : 0) |
    (summary.endsInside ? ENDS_INSIDE : 0);
  view.setUint32(2, summary.fileNumber, true);
  setUint48(view, 6, summary.startPosition);
  setUint48(view, 12, summary.endPosition);
  setUint48(view, 18, summary.firstEventPosition);
  view.setUint32(
    24,
    summary.firstEventOffset < 0 ? NO_EVENT : summary.firstEventOffset,
    true,
  );
  view.setUint32(28, summary.firstTimestamp, true);
  view.setUint32(32, summary.lastTimestamp, true);
  view.setUint32(36, summary.checksum, true);
  view.setUint32(40, began.length, true);
  // The last two bytes are kept for later and must be 0.
  bytes.set(began, FIXED_BYTES);
  return bytes;
}

/**
 * The reverse of `encodeSummary`.
 *
 * @throws {StoreError} `corrupt` when the bytes are not a summary
 */
export function decodeSummary(bytes: Uint8Array): BlockSummary {
  if (bytes.length < FIXED_BYTES || bytes[0] !== VERSION) {
    throw new StoreError(
      "corrupt",
      `Cannot read a block summary: it has ${bytes.length} bytes and version ${
        bytes[0] ?? "none"
      }, expected at least ${FIXED_BYTES} and version ${VERSION}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const beganBytes = view.getUint32(40, true);
  if (beganBytes !== bytes.length - FIXED_BYTES) {
    throw new StoreError(
      "corrupt",
      `Cannot read a block summary: it announces ${beganBytes} bytes of GTIDs and has ${
        bytes.length - FIXED_BYTES
      }`,
    );
  }
  const firstEventOffset = view.getUint32(24, true);
  return {
    fileNumber: view.getUint32(2, true),
    startPosition: getUint48(view, 6),
    endPosition: getUint48(view, 12),
    firstEventPosition: getUint48(view, 18),
    firstEventOffset: firstEventOffset === NO_EVENT ? -1 : firstEventOffset,
    firstTimestamp: view.getUint32(28, true),
    lastTimestamp: view.getUint32(32, true),
    checksum: view.getUint32(36, true),
    hasControl: (bytes[1]! & HAS_CONTROL) !== 0,
    endsInside: (bytes[1]! & ENDS_INSIDE) !== 0,
    began: decodeBegan(bytes.subarray(FIXED_BYTES)),
  };
}

function decodeBegan(bytes: Uint8Array): GtidSet {
  if (bytes.length === 0) return new GtidSet();
  try {
    return GtidSet.decode(bytes);
  } catch (cause) {
    throw new StoreError(
      "corrupt",
      "Cannot read a block summary: its GTIDs are malformed",
      { cause },
    );
  }
}

function setUint48(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 0x1_0000_0000, true);
  view.setUint16(offset + 4, Math.floor(value / 0x1_0000_0000), true);
}

function getUint48(view: DataView, offset: number): number {
  return view.getUint32(offset, true) +
    view.getUint16(offset + 4, true) * 0x1_0000_0000;
}
