import { eventTypeAt } from "../binlog/event_header.ts";
import { EventType } from "../binlog/event_type.ts";
import { GtidReader } from "../binlog/gtid_event.ts";
import type { GtidSet } from "../gtid/gtid_set.ts";
import type { BlockSummary } from "../store/binlog_store.ts";
import type { BlockVerdict, DumpFilter, FilterSink } from "./dump_filter.ts";
import { PacketWalk, payloadBytesAt } from "./packet_walk.ts";

/**
 * Leaves out of a dump the transactions that the replica has, as MySQL's
 * `Binlog_sender::skip_event` does: a GTID in the set opens a run that is left
 * out, the next GTID or a rotate ends it.
 */
export class GtidFilter implements DumpFilter {
  readonly owesHeartbeats = true;
  readonly isPassive = false;
  readonly #executed: GtidSet;
  readonly #gtid = new GtidReader();
  readonly #walk = new PacketWalk();
  #leavingOut = false;

  /** @param executed what the replica has */
  constructor(executed: GtidSet) {
    this.#executed = executed;
  }

  get insideEvent(): boolean {
    return this.#walk.insideEvent;
  }

  /** Begins a file, or goes on somewhere in it where a transaction begins. */
  startFile(): void {
    this.#leavingOut = false;
    this.#walk.reset();
  }

  /** What becomes of a whole block. */
  judge(block: BlockSummary): BlockVerdict {
    if (block.hasControl || this.#walk.insideEvent) return "look";
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
  async take(
    run: Uint8Array,
    sink: Pick<FilterSink, "send" | "leaveOut" | "anonymous">,
  ): Promise<void> {
    const walk = this.#walk;
    let at = 0;
    let sendFrom = -1;
    while (at < run.length) {
      if (!walk.insideEvent && this.#decide(run, at)) {
        if (sendFrom >= 0) await sink.send(run, sendFrom, at);
        return sink.anonymous();
      }
      const end = walk.step(run, at);
      if (this.#leavingOut) {
        if (sendFrom >= 0) await sink.send(run, sendFrom, at);
        sendFrom = -1;
        sink.leaveOut(walk.bytes);
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
    const event = this.#walk.bodyAt(at);
    switch (eventTypeAt(run, event)) {
      case EventType.GTID:
      case EventType.GTID_TAGGED: {
        const gtid = this.#gtid;
        gtid.read(run, event, payloadBytesAt(run, at) - 1);
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
}
