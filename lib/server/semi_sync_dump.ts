import { checksumBytes } from "../binlog/checksum.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { SemiSyncAck } from "../protocol/semi_sync.ts";
import type { AckGate, AckingReplica } from "../semi_sync/ack_gate.ts";
import { comparePositions } from "../semi_sync/compare_positions.ts";
import type {
  BinlogStore,
  LogPosition,
  StoredFile,
  StoreHead,
} from "../store/binlog_store.ts";
import type {
  AckStatus,
  DumpRequest,
  DumpSession,
  GtidDumpRequest,
  MariadbGtidDumpRequest,
} from "./dump_handler.ts";
import type { DumpStart } from "./dump_start.ts";
import { SemiSyncPackets } from "./semi_sync_packets.ts";

/**
 * A replica that is farther than this behind the log's end is catching up: it
 * is not asked to acknowledge, since nobody waits for what it gets. In bytes.
 */
const NEAR_BYTES = 4 * 1024 * 1024;

/**
 * What a dump to a semi-synchronous replica does besides: chooses the
 * transactions that the replica is asked to acknowledge, and takes its
 * acknowledgements.
 *
 * A source with MySQL's plugin asks for each transaction that a session waits
 * for (`ReplSemiSyncMaster::updateSyncHeader`), so for what is new and not for
 * what a replica has to catch up with. So does this: it asks for what has come
 * since the dump began, and for what kingbus's own source waits for.
 */
export class SemiSyncDump implements Disposable {
  /** How the dump's packets look. */
  readonly packets: SemiSyncPackets;
  readonly #store: BinlogStore;
  readonly #gate: AckGate | undefined;
  readonly #replica: AckingReplica | undefined;
  readonly #status: AckStatus;
  /** What is behind this is new. */
  readonly #begin: LogPosition;
  #file: StoredFile;
  #acknowledged: LogPosition;

  /**
   * @param store the log that is served
   * @param gate told of what the replica acknowledges
   * @param session of the dump
   * @param request what the replica asked for
   * @param start where the dump begins
   */
  constructor(
    store: BinlogStore,
    gate: AckGate | undefined,
    session: DumpSession,
    request: DumpRequest,
    start: DumpStart,
  ) {
    this.#store = store;
    this.#gate = gate;
    this.#file = start.file;
    this.packets = new SemiSyncPackets(session.nextSequenceId);
    const head = store.head!;
    this.#begin = { fileNumber: head.fileNumber, position: head.position };
    this.#acknowledged = {
      fileNumber: start.file.number,
      position: start.position,
    };
    this.#status = { asked: 0, received: 0, file: "", position: 0 };
    session.status.acks = this.#status;
    session.takeAck = (ack) => this.#takeAck(ack);
    const { uuid } = session.settings;
    this.#replica = gate?.join(
      uuid === "" ? `server id ${request.serverId}` : uuid,
    );
    if (request.mode === "position") {
      // What it does not ask for it has.
      this.#replica?.acknowledged(this.#acknowledged);
    } else if (hasAll(request, start, head)) {
      this.#replica?.acknowledged(this.#begin);
    }
  }

  /** The replica is gone, or the dump ended. */
  [Symbol.dispose](): void {
    this.#replica?.leave();
  }

  /** The dump goes on with a file. */
  beginFile(file: StoredFile): void {
    this.#file = file;
    this.packets.trailerBytes = checksumBytes(file.checksumAlgorithm);
  }

  /** Chooses what of the next run the replica is asked to acknowledge. */
  chooseAsked(): void {
    this.packets.askFrom = Math.min(
      this.#isNearHead() ? this.#positionHere(this.#begin) + 1 : Infinity,
      this.#positionHere(this.#gate?.asksFrom),
    );
    this.#status.asked = this.packets.asked;
  }

  /** Where `position` is from this file: in it, before it, or behind it. */
  #positionHere(position: LogPosition | undefined): number {
    if (position === undefined) return Infinity;
    const { number } = this.#file;
    if (position.fileNumber === number) return position.position;
    return position.fileNumber < number ? 0 : Infinity;
  }

  #isNearHead(): boolean {
    const { fileNumber, position } = this.#store.head!;
    const { number } = this.#file;
    if (fileNumber === number) {
      return position - this.packets.position <= NEAR_BYTES;
    }
    // The file has ended since: what comes next is its last part, or was.
    if (fileNumber !== number + 1) return false;
    const size = this.#store.files.find((one) => one.number === number)?.size ??
      0;
    return size - this.packets.position + position <= NEAR_BYTES;
  }

  /**
   * Takes one acknowledgement.
   *
   * @throws {ProtocolError} 1835 for one that can't be: of something that was
   * not sent, of less than the one before, or that was not asked for
   */
  #takeAck(ack: SemiSyncAck): void {
    const status = this.#status;
    status.asked = this.packets.asked;
    if (status.received >= this.packets.asked) {
      throw wrongAck(ack, "nothing was asked that is still open");
    }
    const file = this.#store.fileByName(ack.fileName);
    if (file === undefined || file.number > this.#file.number) {
      throw wrongAck(ack, "the file was not sent");
    }
    const position = {
      fileNumber: file.number,
      position: Number(ack.position),
    };
    const sent = file.number === this.#file.number
      ? this.packets.position
      : file.size;
    if (position.position > sent) {
      throw wrongAck(ack, `only what is before position ${sent} was sent`);
    }
    if (comparePositions(position, this.#acknowledged) < 0) {
      throw wrongAck(
        ack,
        `position ${this.#acknowledged.position} of ${
          status.file || "the same file"
        } was acknowledged before`,
      );
    }
    this.#acknowledged = position;
    status.received++;
    status.file = ack.fileName;
    status.position = position.position;
    this.#replica?.acknowledged(position);
  }
}

/** Whether a replica by GTID lacks nothing up to the head. */
function hasAll(
  request: GtidDumpRequest | MariadbGtidDumpRequest,
  start: DumpStart,
  head: StoreHead,
): boolean {
  if (request.mode === "gtid") {
    return request.executed.containsSet(head.executed);
  }
  // In each domain it begins behind the last transaction, or with the next file.
  return head.mariadb!.position().every(({ domain, server, sequence }) => {
    const { from } = start.mariadb!;
    const last = from.get(domain)?.gtid ??
      start.file.mariadbStart?.lastOf(domain);
    return last?.server === server && last.sequence >= sequence;
  });
}

function wrongAck(ack: SemiSyncAck, reason: string): ProtocolError {
  return new ProtocolError(
    ErrorCode.ER_MALFORMED_PACKET,
    `Malformed communication packet: acknowledgement of ${
      ack.fileName.slice(0, 64)
    } position ${ack.position}: ${reason}`,
  );
}
