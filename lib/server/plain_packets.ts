import {
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "../store/framing.ts";
import type { PacketForm } from "./packet_form.ts";

/** Status byte of an event. */
const MADE_PREFIX = Uint8Array.of(0);

/** Packets as they are stored: all there is to do is to number them. */
export class PlainPackets implements PacketForm {
  sequenceId: number;
  position = 0;
  readonly madePrefix = MADE_PREFIX;
  readonly restarts: number[] = [];
  // What is left of the packet at the end of the last run, and whether the
  // packet after it belongs to the same event.
  #packetLeft = 0;
  #eventGoesOn = false;

  /** @param sequenceId of the first packet */
  constructor(sequenceId: number) {
    this.sequenceId = sequenceId;
  }

  get atEventEnd(): boolean {
    return this.#packetLeft === 0 && !this.#eventGoesOn;
  }

  bytesFor(runBytes: number): number {
    return runBytes;
  }

  copyRun(run: Uint8Array, buffer: Uint8Array, start: number): number {
    buffer.set(run, start);
    const end = start + run.length;
    this.#number(buffer, start, end);
    return end;
  }

  /** Numbers the packets in `buffer[start, end)`, and counts what they carry. */
  #number(buffer: Uint8Array, start: number, end: number): void {
    let at = start + this.#packetLeft;
    let carried = this.#packetLeft;
    let goesOn = this.#eventGoesOn;
    let sequenceId = this.sequenceId;
    while (at < end) {
      const payload = buffer[at]! | buffer[at + 1]! << 8 |
        buffer[at + 2]! << 16;
      buffer[at + 3] = sequenceId;
      sequenceId = sequenceId + 1 & 0xff;
      at += PACKET_HEADER_BYTES + payload;
      // The first packet of an event begins with a status byte, not of the file.
      carried += goesOn ? payload : payload - 1;
      goesOn = payload === PACKET_PAYLOAD_BYTES_MAX;
    }
    this.sequenceId = sequenceId;
    this.#packetLeft = at - end;
    this.#eventGoesOn = goesOn;
    this.position += carried - this.#packetLeft;
  }
}
