import { checksumBytes } from "../../lib/binlog/checksum.ts";
import { moveEvent } from "../../lib/binlog/move_event.ts";
import type {
  BinlogStore,
  BlockSummary,
  LogPosition,
  LogReader,
  LogSlice,
  StoredFile,
  StoreHead,
} from "../../lib/store/binlog_store.ts";
import { EventWalk } from "../../lib/store/event_walk.ts";
import { FRAME_BYTES } from "../../lib/store/framing.ts";

/** Which block is the large one, and by how much. */
export interface Growth {
  readonly fileNumber: number;
  /** Where that block ends in the file as it is. */
  readonly blockEnd: number;
  /** Bytes that it is said to have more. */
  readonly bytes: number;
}

/**
 * A log of which one block is said to be gigabytes long: all that comes behind
 * it in its file has positions that are so much higher. Nobody may read the
 * block itself; a dump by GTID that leaves it out, and one that begins behind
 * it, see a file as large as it says.
 */
export function grownLog(store: BinlogStore, growth: Growth): BinlogStore {
  const shown = (position: number): number =>
    position < growth.blockEnd ? position : position + growth.bytes;
  const fileOf = (file: StoredFile): StoredFile =>
    file.number !== growth.fileNumber
      ? file
      : changed(file, { size: shown(file.size) });
  const head = (): StoreHead | undefined => {
    const real = store.head;
    return real === undefined || real.fileNumber !== growth.fileNumber
      ? real
      : changed(real, { position: shown(real.position) });
  };
  const replaced: Partial<BinlogStore> = {
    get head() {
      return head();
    },
    get files() {
      return store.files.map(fileOf);
    },
    fileByName: (name) => {
      const file = store.fileByName(name);
      return file && fileOf(file);
    },
    findFile: (executed) => {
      const file = store.findFile(executed);
      return file && fileOf(file);
    },
    openReader: async (start: LogPosition): Promise<LogReader> => {
      const isGrown = start.fileNumber === growth.fileNumber;
      const from = isGrown && start.position >= growth.blockEnd
        ? start.position - growth.bytes
        : start.position;
      const reader = await store.openReader({ ...start, position: from });
      return new GrownReader(reader, from, growth, fileOf, shown);
    },
  };
  return changed(store, replaced);
}

/** An object with other values for some of its properties. */
function changed<T extends object>(object: T, values: Partial<T>): T {
  return new Proxy(object, {
    get(target, key): unknown {
      if (key in values) return Reflect.get(values, key);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A reader whose positions, and those in its events, are the shown ones. */
class GrownReader implements LogReader {
  readonly #reader: LogReader;
  readonly #growth: Growth;
  readonly #fileOf: (file: StoredFile) => StoredFile;
  readonly #shown: (position: number) => number;
  #position: number;
  #peeked: BlockSummary | undefined;

  constructor(
    reader: LogReader,
    position: number,
    growth: Growth,
    fileOf: (file: StoredFile) => StoredFile,
    shown: (position: number) => number,
  ) {
    this.#reader = reader;
    this.#position = position;
    this.#growth = growth;
    this.#fileOf = fileOf;
    this.#shown = shown;
  }

  get file(): StoredFile {
    return this.#fileOf(this.#reader.file);
  }

  async next(): Promise<LogSlice | undefined> {
    const slice = await this.#reader.next();
    if (slice === undefined) return undefined;
    const bytes = slice.bytes.slice();
    const file = this.file;
    const trailerBytes = checksumBytes(file.checksumAlgorithm);
    const walk = new EventWalk(bytes, 0, this.#position);
    while (walk.next()) {
      this.#position = walk.endPosition;
      if (
        file.number !== this.#growth.fileNumber ||
        this.#position <= this.#growth.blockEnd
      ) continue;
      moveEvent(
        bytes,
        walk.offset + FRAME_BYTES,
        walk.size,
        this.#shown(this.#position),
        trailerBytes,
      );
    }
    return { file, bytes };
  }

  async peek(): Promise<BlockSummary | undefined> {
    const summary = await this.#reader.peek();
    this.#peeked = summary;
    if (
      summary === undefined || summary.fileNumber !== this.#growth.fileNumber
    ) return summary;
    return changed(summary, {
      startPosition: this.#shown(summary.startPosition),
      endPosition: this.#shown(summary.endPosition),
      firstEventPosition: this.#shown(summary.firstEventPosition),
    });
  }

  skip(): void {
    if (this.#peeked === undefined) {
      throw new TypeError("Only a block that was looked at can be skipped");
    }
    this.#position = this.#peeked.endPosition;
    this.#reader.skip();
  }

  nextFile(): boolean {
    this.#position = 4;
    return this.#reader.nextFile();
  }
}
