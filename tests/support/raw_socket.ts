import { joinBytes } from "./dump_client.ts";

/** One MySQL packet of a length and sequence id that may be lies. */
export function rawPacket(
  payload: Uint8Array,
  sequenceId: number,
  claimedBytes = payload.length,
): Uint8Array {
  const header = [
    claimedBytes & 0xff,
    claimedBytes >> 8 & 0xff,
    claimedBytes >> 16 & 0xff,
    sequenceId,
  ];
  return Uint8Array.from([...header, ...payload]);
}

/** How long a connection may neither bring something nor end. */
const READ_DEADLINE_MS = 20_000;

/** A TCP connection of a client that does not keep to the protocol. */
export class RawSocket implements Disposable {
  readonly #conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Connects to a port of 127.0.0.1. */
  static async dial(port: number): Promise<RawSocket> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new RawSocket(conn);
  }

  /** Sends bytes; answers whether the other side still took them. */
  async send(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#conn.write(bytes.subarray(at));
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Says that nothing more will be sent. */
  async closeWrite(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch {
      // the other side has closed both directions already
    }
  }

  /** The payload of the next packet; `null` at the end. */
  async readPacket(): Promise<Uint8Array | null> {
    const header = await this.#read(4);
    if (header === null) return null;
    return await this.#read(header[0]! | header[1]! << 8 | header[2]! << 16);
  }

  /** All packets up to the end of the connection. */
  async readToEnd(): Promise<Uint8Array[]> {
    const payloads: Uint8Array[] = [];
    for (;;) {
      const payload = await this.readPacket();
      if (payload === null) return payloads;
      payloads.push(payload);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // it was closed before
    }
  }

  /** So many bytes; `null` if the connection ends before. */
  async #read(count: number): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0;) {
      const part = await this.#readSome(left);
      if (part === null) return null;
      parts.push(part);
      left -= part.length;
    }
    return joinBytes(parts);
  }

  /** At least a byte; `null` at the end or after a reset. */
  async #readSome(countMax: number): Promise<Uint8Array | null> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this[Symbol.dispose]();
    }, READ_DEADLINE_MS);
    try {
      const part = new Uint8Array(countMax);
      const count = await this.#conn.read(part);
      return count === null ? null : part.subarray(0, count);
    } catch (cause) {
      if (!late) return null;
      throw new TypeError(
        `Nothing came for ${READ_DEADLINE_MS} ms, and the connection stayed open`,
        { cause },
      );
    } finally {
      clearTimeout(timer);
    }
  }
}
