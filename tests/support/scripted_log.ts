import { assert } from "@std/assert";
import type { GtidSet } from "../../lib/gtid/gtid_set.ts";
import type { BinlogStore } from "../../lib/store/binlog_store.ts";
import { joinBytes } from "./dump_packets.ts";
import { MadeLog } from "./made_log.ts";

/** Events up to a boundary. */
export interface ScriptedUnit {
  /** The file they begin, if they do. */
  readonly begins: string | undefined;
  readonly fileName: string;
  readonly events: readonly Uint8Array[];
  /** Position in the file behind them. */
  readonly end: number;
}

/** A log that is written again and again, the same each time. */
export class ScriptedLog {
  readonly units: ScriptedUnit[] = [];
  readonly #made: MadeLog;
  #files = 0;

  /** @param purged from before the first file */
  constructor(readonly purged: GtidSet) {
    this.#made = new MadeLog(purged);
  }

  beginFile(): void {
    const name = `binlog.${String(++this.#files).padStart(6, "0")}`;
    this.#add(this.#made.beginFile(), name);
  }

  transaction(rows?: readonly number[], uuid?: string): void {
    this.#add(this.#made.transaction({
      ...(rows === undefined ? {} : { rows }),
      ...(uuid === undefined ? {} : { uuid }),
    }));
  }

  /** A transaction of one event of that size. */
  single(bytes: number): void {
    this.#add(this.#made.payloadTransaction(bytes));
  }

  /** What a file holds from byte 4 on, up to and with a unit. */
  bytes(fileName: string, last = this.units.length - 1): Uint8Array {
    return joinBytes(
      this.units.slice(0, last + 1).filter((unit) => unit.fileName === fileName)
        .flatMap(({ events }) => [...events]),
    );
  }

  /** The unit that ends where the head is; -1 for an empty log. */
  unitAt(store: BinlogStore): number {
    const { head } = store;
    if (head === undefined) return -1;
    const found = this.units.findIndex((unit) =>
      unit.fileName === head.fileName && unit.end === head.position
    );
    assert(found >= 0, `no boundary at ${head.fileName}:${head.position}`);
    return found;
  }

  #add(events: readonly Uint8Array[], begins?: string): void {
    this.units.push({
      begins,
      fileName: begins ?? this.units.at(-1)!.fileName,
      events,
      end: this.#made.position,
    });
  }
}
