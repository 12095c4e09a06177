import {
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "../store/framing.ts";

/**
 * Steps through runs of framed stream packet by packet; a run may end inside
 * one, and the next run then goes on there.
 */
export class PacketWalk {
  /** What is left of the packet at the end of the last run. */
  #left = 0;
  #eventGoesOn = false;
  /** Bytes of the file that the last step went over. */
  bytes = 0;

  /** True when what comes next is not the begin of an event. */
  get insideEvent(): boolean {
    return this.#left > 0 || this.#eventGoesOn;
  }

  /** Stands where an event begins. */
  reset(): void {
    this.#left = 0;
    this.#eventGoesOn = false;
  }

  /**
   * Where the packet's payload, or what is left of it, begins: the event's
   * first byte comes after the status byte when an event begins.
   */
  bodyAt(at: number): number {
    if (this.#left > 0) return at;
    return at + PACKET_HEADER_BYTES + (this.#eventGoesOn ? 0 : 1);
  }

  /** Steps over the packet at `at`, or over what is left of one; answers where it ends. */
  step(run: Uint8Array, at: number): number {
    let left = this.#left;
    let from = at;
    this.bytes = 0;
    if (left === 0) {
      left = payloadBytesAt(run, at);
      from = at + PACKET_HEADER_BYTES;
      // The status byte of an event's first packet is not of the file.
      this.bytes = this.#eventGoesOn ? 0 : -1;
      this.#eventGoesOn = left === PACKET_PAYLOAD_BYTES_MAX;
    }
    const end = Math.min(from + left, run.length);
    this.#left = left - (end - from);
    this.bytes += end - from;
    return end;
  }
}

/** Bytes of the payload of the packet whose header is at `at`. */
export function payloadBytesAt(run: Uint8Array, at: number): number {
  return run[at]! | run[at + 1]! << 8 | run[at + 2]! << 16;
}
