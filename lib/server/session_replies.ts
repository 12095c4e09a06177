import { Capability, hasCapability } from "../protocol/capability.ts";
import { sqlStateFor } from "../protocol/error_code.ts";
import { PACKET_HEADER_BYTES } from "../protocol/packet.ts";
import {
  encodeEof,
  encodeErr,
  encodeOk,
  type ErrFields,
} from "../protocol/response.ts";
import {
  encodeTextResultSet,
  type TextResultSet,
} from "../protocol/result_set.ts";
import type { ServerCounters } from "./server_counters.ts";
import type { SessionChannel } from "./session_channel.ts";
import type { SessionState } from "./session_state.ts";
import type { StatementWarning } from "./statement_result.ts";

/** What a session answers to commands, and how many bytes that is. */
export class SessionReplies {
  readonly #channel: SessionChannel;
  readonly #state: SessionState;
  readonly #counters: ServerCounters;
  #bytes = 0n;

  /**
   * @param state has the status flags; gets the warnings
   * @param counters those of the server
   */
  constructor(
    channel: SessionChannel,
    state: SessionState,
    counters: ServerCounters,
  ) {
    this.#channel = channel;
    this.#state = state;
    this.#counters = counters;
  }

  /** Bytes of replies so far. */
  get bytes(): bigint {
    return this.#bytes;
  }

  /** One payload as it is. */
  send(payload: Uint8Array): Promise<void> {
    this.#count(payload.length + PACKET_HEADER_BYTES);
    return this.#channel.send(payload);
  }

  /** OK. */
  ok(warnings = 0): Promise<void> {
    const { statusFlags } = this.#state;
    return this.send(encodeOk({ statusFlags, warnings }));
  }

  /** OK, with warnings for those who ask. */
  okWith(warnings: readonly StatementWarning[]): Promise<void> {
    this.#state.warnings = warnings;
    return this.ok(warnings.length);
  }

  /**
   * What ends an answer of no rows: EOF, or OK with EOF's first byte.
   *
   * @param capabilities the client's
   */
  end(capabilities: number): Promise<void> {
    const { statusFlags } = this.#state;
    return this.send(
      hasCapability(capabilities, Capability.DEPRECATE_EOF)
        ? encodeOk({ statusFlags, endsRows: true })
        : encodeEof({ statusFlags }),
    );
  }

  /**
   * Rows; they are encoded before it returns.
   *
   * @param capabilities the client's
   */
  rows(rows: TextResultSet, capabilities: number): Promise<void> {
    const bytes = encodeTextResultSet(
      rows,
      capabilities,
      this.#channel.nextSequenceId,
    );
    this.#count(bytes.length);
    return this.#channel.sendRaw(bytes);
  }

  /** An error. */
  error(error: ErrFields): Promise<void> {
    return this.send(encodeErr(error));
  }

  /** The error of that code, with its SQL state. */
  errorCode(code: number, message: string): Promise<void> {
    return this.error({ code, sqlState: sqlStateFor(code), message });
  }

  #count(bytes: number): void {
    this.#bytes += BigInt(bytes);
    this.#counters.bytesSent += BigInt(bytes);
  }
}
