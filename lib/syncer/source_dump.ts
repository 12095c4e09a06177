import type { ClientConnection } from "../connection/client_connection.ts";
import { ConnectionError } from "../connection/connection_error.ts";
import type { Log } from "../log/log.ts";
import type { BinlogStore } from "../store/binlog_store.ts";
import { BEHIND, IdleCheck } from "./idle_check.ts";
import { type FollowerContext, LogFollower } from "./log_follower.ts";
import { SilenceWatch } from "./silence_watch.ts";
import { SourceAside } from "./source_aside.ts";
import { SourceEnd } from "./source_end.ts";
import { SourceError } from "./source_error.ts";
import type { SourceOptions } from "./source_options.ts";

/** What a dump is received with. */
export interface SourceDumpParts {
  /** Where the log goes; its writer stands where the dump begins. */
  readonly store: BinlogStore;
  readonly log: Log;
  /** The source, and how long it may be silent. */
  readonly options: SourceOptions;
  /** What the source's files have as their server; empty if it has none. */
  readonly origin: string;
  /** What the follower has to know. */
  readonly context: FollowerContext;
  /** See `SyncerDeps.idleCheckMs`. */
  readonly idleCheckMs: number;
  /** See `SyncerDeps.endCheckMs`. */
  readonly endCheckMs: number;
  /** Told how many bytes have come, before they are looked at. */
  heard(bytes: number): void;
  /** Told that those bytes were taken. */
  taken(): void;
  /** The source said that it has nothing more to send. */
  heartbeat(): void;
  /** The source waits until the log up to the writer's position is acknowledged. */
  replyWanted(): void;
}

/**
 * One dump of a source, from its first byte to its last: sees to it that what
 * comes goes to the log, and that a source that hangs or holds something back
 * is noticed; knows how far it is.
 */
export class SourceDump {
  readonly #parts: SourceDumpParts;
  readonly #follower: LogFollower;
  /** Knows how much is to come, while something may. */
  #end: SourceEnd | undefined;
  #received = 0;
  /** False while the disk is waited for, which is not the source's fault. */
  #awaitsSource = true;
  /** Why the dump can't be trusted, once that is known. */
  #stale: string | undefined;

  /** Receives nothing yet. */
  constructor(parts: SourceDumpParts) {
    this.#parts = parts;
    const { store, log, origin, context } = parts;
    this.#follower = new LogFollower(
      store.writer,
      origin,
      {
        fileStarted: (name) => log.debug("file", { file: name }),
        heartbeat: () => parts.heartbeat(),
        replyWanted: () => parts.replyWanted(),
      },
      context,
    );
  }

  /** See `LogFollower.sourcePosition`. */
  get sourcePosition(): LogFollower["sourcePosition"] {
    return this.#follower.sourcePosition;
  }

  /** See `LogFollower.caughtUp`. */
  get caughtUp(): boolean {
    return this.#follower.caughtUp;
  }

  /** See `LogFollower.ended`. */
  get ended(): boolean {
    return this.#follower.ended;
  }

  /** See `LogFollower.unendedAt`. */
  get unendedAt(): LogFollower["unendedAt"] {
    return this.#follower.unendedAt;
  }

  /** See `SourceEnd.bytesBehind`. */
  get bytesBehind(): number | undefined {
    return this.#end?.bytesBehind;
  }

  /**
   * Takes what comes on a connection until that ends. Returns only when `signal`
   * has fired; whoever fires it closes the connection.
   *
   * @throws {SourceError} when the dump ended, hangs, or can't be trusted; and
   * what `LogFollower.push` and `LogWriter.ready` throw
   */
  async receive(
    connection: ClientConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const { store: { writer }, options, context } = this.#parts;
    const aside = new SourceAside(this.#parts);
    using watch = new SilenceWatch({
      timeoutMs: options.readTimeoutMs,
      received: () => this.#received,
      awaitsSource: () => this.#awaitsSource,
      onSilent: () => connection.close(),
    });
    await using _check = new IdleCheck({
      periodMs: this.#parts.idleCheckMs,
      progress: () => `${writer.fileName}:${writer.position}`,
      ask: (signal) => aside.stale(context.splice !== undefined, signal),
      onStale: (why) => {
        this.#stale = why;
        connection.close();
      },
    });
    await using end = new SourceEnd({
      periodMs: this.#parts.endCheckMs,
      isCaughtUp: () => this.#follower.caughtUp,
      position: () => this.#follower.sourcePosition,
      ask: (signal) => aside.files(signal),
      onEnd: () => this.#follower.endReached(),
    });
    this.#end = end;
    try {
      await this.#takeAll(connection, signal);
    } catch (error) {
      // The watch ends a read by closing the connection under it.
      const isOurs = watch.fired || this.#stale !== undefined;
      if (!isOurs || !(error instanceof ConnectionError)) throw error;
    } finally {
      this.#end = undefined;
    }
    if (!signal.aborted) throw this.#whyOver(watch.fired);
  }

  /** Until the source says that it is over, or the connection ends. */
  async #takeAll(
    connection: ClientConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const { store: { writer } } = this.#parts;
    for (;;) {
      const chunk = await connection.reader.readChunk();
      if (chunk === null || signal.aborted) return;
      this.#received += chunk.length;
      this.#parts.heard(chunk.length);
      this.#follower.push(chunk);
      this.#parts.taken();
      if (this.#follower.ended) return;
      const room = writer.ready();
      if (room === undefined) continue;
      this.#awaitsSource = false;
      await room;
      this.#awaitsSource = true;
    }
  }

  #whyOver(wasSilent: boolean): SourceError {
    const { store: { writer }, options } = this.#parts;
    if (this.#stale !== undefined) {
      return new SourceError(
        "lost",
        this.#stale === BEHIND
          ? `The source's log goes on behind ${writer.fileName} position ${writer.position}, yet it sends nothing but heartbeats: asking for the log anew`
          : `The source sends heartbeats, but asked for its log it says otherwise, so it is asked anew: ${this.#stale}`,
      );
    }
    if (wasSilent) {
      return new SourceError(
        "silent",
        `The source sent nothing for ${options.readTimeoutMs} ms, not even a heartbeat: it hangs, or the network between lost the connection without a word`,
      );
    }
    return new SourceError(
      "lost",
      this.#follower.atPacketEnd
        ? "The source ended the dump (it was shut down, or its dump thread was killed)"
        : "The connection to the source ended in the middle of a packet",
    );
  }
}
