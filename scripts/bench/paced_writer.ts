/**
 * A program that commits one small transaction after another at a steady rate:
 * one JSON `WriterInput` as its argument, one JSON `WriterResult` on standard
 * output.
 *
 * @module
 */

import { ClientConnection } from "../../lib/connection/client_connection.ts";
import type { LogServer } from "./bench_source.ts";
import { BENCH_SCHEMA } from "./small_transactions.ts";

/** What to write. */
export interface WriterInput {
  readonly server: LogServer;
  readonly user: string;
  readonly password: string;
  readonly transactionsPerSecond: number;
  readonly transactions: number;
}

/** When it was written. */
export interface WriterResult {
  /** Just before each statement was sent, in ms since 1970. */
  readonly sentAt: readonly number[];
  /** Just after each commit returned. */
  readonly committedAt: readonly number[];
}

async function write(input: WriterInput): Promise<WriterResult> {
  const { server, user, password, transactions } = input;
  const connection = await ClientConnection.connect({
    ...server,
    user,
    password,
  });
  const sentAt: number[] = [];
  const committedAt: number[] = [];
  const stepMs = 1000 / input.transactionsPerSecond;
  const start = performance.now();
  for (let index = 0; index < transactions; index++) {
    const waitMs = start + index * stepMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    sentAt.push(performance.timeOrigin + performance.now());
    await connection.query(
      `INSERT INTO ${BENCH_SCHEMA}.entry (number, product, text) VALUES (${index}, ${
        index * 7919
      }, 'a row of the size that many rows have')`,
    );
    committedAt.push(performance.timeOrigin + performance.now());
  }
  await connection.quit();
  return { sentAt, committedAt };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const result = await write(JSON.parse(Deno.args[0] ?? "{}"));
  console.log(JSON.stringify(result));
}
