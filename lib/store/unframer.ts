import {
  FRAME_BYTES,
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "./framing.ts";

/**
 * Takes the framing off a run of the framed stream, slice by slice, so that
 * the bytes of the file are left. Begins at the begin of an event.
 */
export class Unframer {
  // Of the packet that the last slice ended in.
  #rest = 0;
  // Whether another packet of the same event follows it.
  #goesOn = false;

  /**
   * Writes what is left of `slice` to `target` from offset `at` on.
   *
   * @param slice whose packet headers are not cut, as in blocks
   * @param target has room for all of the slice
   * @returns the offset after what was written
   */
  copy(slice: Uint8Array, target: Uint8Array, at: number): number {
    const base = at;
    const { length } = slice;
    // One copy of all and moves within it: no view has to be made for each
    // of many small events.
    target.set(slice, base);
    let from = 0;
    let to = base;
    while (from < length) {
      if (this.#rest === 0) {
        const payload = slice[from]! | slice[from + 1]! << 8 |
          slice[from + 2]! << 16;
        const header = this.#goesOn ? PACKET_HEADER_BYTES : FRAME_BYTES;
        this.#rest = payload + PACKET_HEADER_BYTES - header;
        this.#goesOn = payload === PACKET_PAYLOAD_BYTES_MAX;
        from += header;
      }
      const count = Math.min(this.#rest, length - from);
      target.copyWithin(to, base + from, base + from + count);
      to += count;
      from += count;
      this.#rest -= count;
    }
    return to;
  }
}
