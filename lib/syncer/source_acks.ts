import type { ClientConnection } from "../connection/client_connection.ts";
import { describeError } from "../log/describe_error.ts";
import type { Log } from "../log/log.ts";
import { encodeSemiSyncAck, type SemiSyncAck } from "../protocol/semi_sync.ts";
import {
  type AcknowledgerParts,
  SourceAcknowledger,
} from "./source_acknowledger.ts";
import type { SyncerSemiSync } from "./syncer_status.ts";

/** What acknowledging works with, whatever the connection. */
export interface SourceAcksParts extends Omit<AcknowledgerParts, "send"> {
  readonly log: Log;
}

/** What is acknowledged to the source, over all its connections. */
export class SourceAcks {
  readonly #parts: SourceAcksParts;
  #count = 0;
  #last: SemiSyncAck | undefined;
  /** Of the connection of now, if its dump is a semi-synchronous one. */
  #current: SourceAcknowledger | undefined;

  /** Acknowledges nothing yet. */
  constructor(parts: SourceAcksParts) {
    this.#parts = parts;
  }

  /** Acknowledges over this connection until what it answers is disposed of. */
  over(connection: ClientConnection): Disposable {
    const acknowledger = new SourceAcknowledger({
      ...this.#parts,
      send: (ack) => this.#send(ack, connection),
    });
    this.#current = acknowledger;
    return {
      [Symbol.dispose]: () => {
        this.#current = undefined;
        acknowledger[Symbol.dispose]();
      },
    };
  }

  /** See `SourceAcknowledger.wanted`; nothing where nobody acknowledges. */
  wanted(fileName: string, position: number, ack: SemiSyncAck): void {
    this.#current?.wanted(fileName, position, ack);
  }

  /** How it goes, now. */
  status(): SyncerSemiSync {
    return {
      active: this.#current !== undefined,
      acks: this.#count,
      file: this.#last?.fileName ?? "",
      position: Number(this.#last?.position ?? 0n),
      waiting: this.#current?.waiting ?? 0,
    };
  }

  async #send(
    ack: SemiSyncAck,
    connection: ClientConnection,
  ): Promise<boolean> {
    try {
      await connection.writer.write(encodeSemiSyncAck(ack), 0);
    } catch (error) {
      this.#parts.log.debug("could not acknowledge", () => ({
        reason: describeError(error),
      }));
      // Whoever reads from it finds out and begins anew.
      connection.close();
      return false;
    }
    this.#count++;
    this.#last = ack;
    return true;
  }
}
