import type { DumpRequest } from "./dump_handler.ts";

/**
 * What a session is doing, as `SHOW PROCESSLIST` has it:
 * - `login`: it has not logged in yet;
 * - `sleep`: it waits for a command;
 * - `query`: a statement is being answered;
 * - `dump`: it is sent the log.
 */
export type SessionActivityKind = "login" | "sleep" | "query" | "dump";

/** One connection, as `SHOW PROCESSLIST` shows it. */
export interface SessionProcess {
  readonly connectionId: number;
  /** Name of the account; undefined before the login. */
  readonly user: string | undefined;
  /** Address of the client, "ip:port". */
  readonly remote: string;
  readonly database: string | undefined;
  readonly activity: SessionActivityKind;
  /** When that began, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** The statement that is being answered, without what may be secret. */
  readonly info: string | undefined;
  /** The dump; undefined without one. */
  readonly dump:
    | {
      readonly mode: DumpRequest["mode"];
      /** Whether all there is was sent. */
      readonly atEnd: boolean;
    }
    | undefined;
}

/** The most of a statement that is kept to be shown, in UTF-16 units. */
const INFO_UNITS_MAX = 16_384;

/** Statements whose text never holds a secret that this server knows of. */
const OPEN_STATEMENT =
  /^(?:\s|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:BEGIN|COMMIT|KILL|PURGE|ROLLBACK|SELECT|SHOW|USE)\b/i;

/**
 * What others may see of a statement: all of it where it can't hold a password,
 * else its leading words.
 */
export function openStatementText(text: string): string {
  // so that no expression goes over more than this
  const start = text.slice(0, INFO_UNITS_MAX);
  if (OPEN_STATEMENT.test(start)) return start;
  const words = /^\s*(\w+(?:\s+\w+)?)/.exec(start)?.[1];
  return words === undefined ? "…" : `${words.slice(0, 100)} …`;
}
