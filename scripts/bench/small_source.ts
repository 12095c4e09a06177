import { startMysql56 } from "../test_servers/mysql56.ts";
import { BenchError } from "./bench_error.ts";
import type { LogServer, SourceLog } from "./bench_source.ts";

/** A source of its own with next to nothing in its log. */
export interface SmallSource extends LogServer, AsyncDisposable {
  readonly log: SourceLog;
  /** GTIDs of all that is in it. */
  readonly executed: string;
}

/** Starts one. */
export async function startSmallSource(): Promise<SmallSource> {
  const source = await startMysql56();
  await source.query("CREATE DATABASE small");
  const { rows } = await source.query("SHOW MASTER STATUS");
  const [file, position, , , executed] = rows[0] ?? [];
  if (!file || !executed) throw new BenchError("The source has no log");
  return {
    hostname: "127.0.0.1",
    port: source.port,
    executed: executed.replaceAll("\n", ""),
    log: {
      firstFile: file,
      lastFile: file,
      lastPosition: Number(position),
      bytes: Number(position),
      transactions: 1,
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}
