import { assertEquals } from "@std/assert";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** An HTTP answer as it came over a socket. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** How long whatever is sent may stay without an end. */
const DEADLINE_MS = 30_000;

/**
 * Sends bytes to a port of this machine as they are, and answers all that comes
 * until the other side ends the connection.
 */
export async function exchange(
  port: number,
  sent: string | Uint8Array,
): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = typeof sent === "string" ? latin1(sent) : sent;
  const writing = writeAll(conn, bytes);
  const decoder = new TextDecoder();
  let received = "";
  const reading = (async () => {
    const buffer = new Uint8Array(65536);
    try {
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) return true;
        received += decoder.decode(buffer.subarray(0, count), { stream: true });
      }
    } catch {
      // A reset is an end, too.
      return true;
    }
  })();
  let hasEnded = false;
  reading.then(() => hasEnded = true);
  await waitUntil(
    "the end of the connection",
    () => Promise.resolve(hasEnded ? true : undefined),
    {
      deadlineMs: DEADLINE_MS,
      intervalMs: 20,
    },
  );
  await writing;
  return received;
}

/** Asserts that a text is one whole HTTP answer in kingbus's envelope. */
export function parseAnswer(text: string, name: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const match = /^HTTP\/1\.1 (\d{3}) /.exec(first);
  assertEquals(match === null, false, `${name}: ${text.slice(0, 200)}`);
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(match![1]), headers, body: text.slice(end + 4) };
}

/** A text's characters as bytes, each below 256. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) {
      at += await conn.write(bytes.subarray(at));
    }
  } catch {
    // It takes no more: what it has answered is looked at.
  }
}
