import { assert, assertEquals } from "@std/assert";

/** An event of `GET /status/stream`. */
export interface StatusEvent {
  readonly id: number;
  readonly name: string;
  // deno-lint-ignore no-explicit-any -- whatever the test expects
  readonly data: any;
}

/** A client of the status stream that reads it event by event. */
export class StatusStream implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Begins to read the stream of an admin API, `http://host:port`. */
  static async open(url: string): Promise<StatusStream> {
    const response = await fetch(`${url}/status/stream`);
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    return new StatusStream(response.body!);
  }

  /** The next event; undefined at the end. */
  async next(): Promise<StatusEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await this.#reader.read();
        if (done) return undefined;
        this.#text += value;
        continue;
      }
      const block = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      if (block === ":" || block.startsWith("retry: ")) continue;
      const [id = "", name = "", data = "", ...more] = block.split("\n");
      assert(
        id.startsWith("id: ") && name.startsWith("event: ") &&
          data.startsWith("data: ") && more.length === 0,
        block,
      );
      return {
        id: Number(id.slice(4)),
        name: name.slice(7),
        data: JSON.parse(data.slice(6)),
      };
    }
  }

  /** Reads on to an event for which that is so. */
  async until(
    isIt: (event: StatusEvent) => boolean,
    what: string,
  ): Promise<StatusEvent> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const event = await this.next();
      assert(event !== undefined, `The stream ended before ${what}`);
      if (isIt(event)) return event;
      assert(performance.now() < deadline, `Waited in vain until ${what}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that was cut off says so once more.
    await this.#reader.cancel().catch(() => {});
  }
}
