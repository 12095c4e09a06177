import { eventTypeAt } from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { GtidReader } from "../binlog/gtid_event.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import type { BlockSummary } from "../store/binlog_store.ts";
import {
  PACKET_HEADER_BYTES,
  PACKET_PAYLOAD_BYTES_MAX,
} from "../store/framing.ts";

/** What becomes of a block, as far as its summary tells. */
export type BlockVerdict = "send" | "skip" | "look";

/** Takes what the filter decided on, in order. */
export interface FilterSink {
  /** Events to send: `run[start, end)`, which may end inside an event. */
  send(run: Uint8Array, start: number, end: number): void | Promise<void>;
  /** An event, or part of one, that is left out: so many bytes of the file. */
  leaveOut(bytes: number): void;
  /** A transaction without GTID, which a GTID dump can't send. */
  anonymous(): never;
}

/**
 * Leaves out of a dump the transactions that the replica has, as MySQL's
 * `Binlog_sender::skip_event` does: a GTID in the set opens a run that is left
 * out, the next GTID or a rotate ends it.
 */
export class GtidFilter {
  readonly #executed: GtidSet;
  readonly #gtid = new GtidReader();
  #leavingOut = false;
  // What is left of the packet at the end of the last run.
  #packetLeft = 0;
  #eventGoesOn = false;

  /** @param executed what the replica has */
  constructor(executed: GtidSet) {
    this.#executed = executed;
  }

  /** Begins a file, or goes on somewhere in it where a transaction begins. */
  startFile(): void {
    this.#leavingOut = false;
    this.#packetLeft = 0;
    this.#eventGoesOn = false;
  }

  /** What becomes of a whole block. */
  judge(block: BlockSummary): BlockVerdict {
    if (block.hasControl || this.#packetLeft > 0 || this.#eventGoesOn) {
      return "look";
    }
    if (this.#leavingOut) {
      return !block.endsInside && this.#executed.containsSet(block.began)
        ? "skip"
        : "look";
    }
    return block.endsInside || this.#executed.intersects(block.began)
      ? "look"
      : "send";
  }

  /** Decides event by event on a run of framed stream. */
  async take(run: Uint8Array, sink: FilterSink): Promise<void> {
    let at = 0;
    let sendFrom = -1;
    while (at < run.length) {
      const continues = this.#packetLeft > 0 || this.#eventGoesOn;
      if (!continues && this.#decide(run, at)) {
        if (sendFrom >= 0) await sink.send(run, sendFrom, at);
        return sink.anonymous();
      }
      const { end, bytes } = this.#packetEnd(run, at);
      if (this.#leavingOut) {
        if (sendFrom >= 0) await sink.send(run, sendFrom, at);
        sendFrom = -1;
        sink.leaveOut(bytes);
      } else if (sendFrom < 0) sendFrom = at;
      at = end;
    }
    if (sendFrom >= 0) await sink.send(run, sendFrom, at);
  }

  /**
   * Looks at the event whose packet begins at `at`; true for one that can't be
   * sent at all.
   */
  #decide(run: Uint8Array, at: number): boolean {
    const event = at + PACKET_HEADER_BYTES + 1;
    switch (eventTypeAt(run, event)) {
      case EventType.GTID:
      case EventType.GTID_TAGGED: {
        const payload = run[at]! | run[at + 1]! << 8 | run[at + 2]! << 16;
        const gtid = this.#gtid;
        gtid.read(run, event, payload - 1);
        this.#leavingOut = this.#executed.has(gtid.uuid, gtid.tag, gtid.gno);
        break;
      }
      case EventType.ANONYMOUS_GTID:
        return true;
      case EventType.ROTATE:
        this.#leavingOut = false;
        break;
    }
    return false;
  }

  /** Where the packet, or what is left of one, ends; and what it carries. */
  #packetEnd(run: Uint8Array, at: number): { end: number; bytes: number } {
    let left = this.#packetLeft;
    let bytes = 0;
    let from = at;
    if (left === 0) {
      left = run[at]! | run[at + 1]! << 8 | run[at + 2]! << 16;
      from = at + PACKET_HEADER_BYTES;
      // The status byte of an event's first packet is not of the file.
      bytes = this.#eventGoesOn ? 0 : -1;
      this.#eventGoesOn = left === PACKET_PAYLOAD_BYTES_MAX;
    }
    const end = Math.min(from + left, run.length);
    this.#packetLeft = left - (end - from);
    return { end, bytes: bytes + end - from };
  }
}
