import { EventType } from "../../lib/binlog/event_type.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
  type StoredFile,
} from "../../lib/store/binlog_store.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

/** The packet header and the status byte in front of an event. */
const FRAME_BYTES = 5;
const HEADER_BYTES = 19;

const SERVER_VERSION = "9.7.0-made";

/**
 * A store that is filled with made transactions of one event each: nothing but
 * the store is at work.
 */
export class MadeStore implements AsyncDisposable {
  readonly store: BinlogStore;
  #files = 0;
  #gno = 0n;

  private constructor(store: BinlogStore) {
    this.store = store;
    this.#files = store.files.length;
    this.#gno = store.writer.executed.count();
  }

  /** Opens a store in a folder, an empty one or one that was made like this. */
  static async open(folder: string): Promise<MadeStore> {
    return new MadeStore(await openKvStore({ path: `${folder}/kingbus.db` }));
  }

  /** Begins the next file. */
  startFile(): void {
    const { writer } = this.store;
    const name = `binlog.${String(++this.#files).padStart(6, "0")}`;
    writer.startFile({ name, serverUuid: UUID });
    const format = madeFormatDescription();
    writer.describeFile(format.subarray(FRAME_BYTES), "none");
    writer.event(format, 0, format.length, 0, true);
    writer.previousGtids(writer.executed.clone());
    this.append(1, 100);
  }

  /**
   * Appends transactions, without waiting for them.
   *
   * @param count how many
   * @param bytes how large the event of each is
   */
  append(count: number, bytes: number): void {
    const { writer } = this.store;
    const event = madeEvent(EventType.WRITE_ROWS, bytes);
    const buffer = new Uint8Array(count * event.length);
    for (let at = 0; at < buffer.length; at += event.length) {
      buffer.set(event, at);
      writer.event(buffer, at, at + event.length, 1_700_000_000, false);
      writer.beginTransaction(UUID, "", ++this.#gno);
      writer.boundary();
    }
    writer.endOfInput();
  }

  /** Appends a file of about `bytes` bytes, and waits until it is durable. */
  async fillFile(bytes: number): Promise<void> {
    this.startFile();
    for (let written = 0; written < bytes; written += 500_000) {
      this.append(50, 10_000);
      await this.store.writer.ready();
    }
    await this.store.writer.flush();
  }

  /**
   * Reads a file and throws it away.
   *
   * @param took told of each wait for the disk, in ms; ends the reading by
   * answering false
   */
  async read(
    file: StoredFile,
    took: (ms: number) => Promise<boolean>,
  ): Promise<void> {
    const reader = await this.store.openReader({
      fileNumber: file.number,
      position: FIRST_POSITION,
    });
    for (;;) {
      const began = performance.now();
      let slice = reader.next();
      if (slice instanceof Promise) {
        slice = await slice;
        if (!await took(performance.now() - began)) return;
      }
      if (slice === undefined) return;
    }
  }

  /** Waits until what was purged has gone from the disk. */
  async settled(): Promise<void> {
    while (!(await this.store.diskUse()).settled) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }
}

/** An event of that type in its packet; it says nothing. */
function madeEvent(type: number, bytes: number): Uint8Array {
  const packet = new Uint8Array(FRAME_BYTES + HEADER_BYTES + bytes);
  const view = new DataView(packet.buffer);
  view.setUint32(0, packet.length - 4, true);
  packet[FRAME_BYTES + 4] = type;
  view.setUint32(FRAME_BYTES + 9, packet.length - FRAME_BYTES, true);
  // Not all zeros, which a file system might not even store.
  for (let at = FRAME_BYTES + HEADER_BYTES; at < packet.length; at++) {
    packet[at] = at * 31;
  }
  return packet;
}

/**
 * A format description that a reader of the log understands
 * (`Format_description_event` of MySQL), of a server without checksums.
 */
function madeFormatDescription(): Uint8Array {
  const types = 42;
  const packet = madeEvent(
    EventType.FORMAT_DESCRIPTION,
    2 + 50 + 4 + 1 + types + 1 + 4,
  );
  const body = packet.subarray(FRAME_BYTES + HEADER_BYTES).fill(0);
  body[0] = 4;
  new TextEncoder().encodeInto(SERVER_VERSION, body.subarray(2, 52));
  body[56] = HEADER_BYTES;
  // the post-header of QUERY events, by which readers know the format
  body[57 + EventType.QUERY - 1] = 13;
  return packet;
}
