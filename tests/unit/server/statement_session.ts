import { characterSetOfCollation } from "../../../lib/server/client_character_set.ts";
import { ServerCounters } from "../../../lib/server/server_counters.ts";
import { STATEMENTS } from "../../../lib/server/statement_list.ts";
import type { SqlValue } from "../../../lib/server/sql_value.ts";
import type {
  StatementContext,
} from "../../../lib/server/statement_context.ts";
import type { StatementResult } from "../../../lib/server/statement_result.ts";

/** A session without a socket: what a statement changes is seen by the next one. */
export interface StatementSession {
  context(overrides?: Partial<StatementContext>): StatementContext;
  apply(result: StatementResult): void;
}

export const SERVER_UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";
export const NEW_UUID = "00000000-0000-4000-8000-000000000001";

/** Format description of a MySQL 9.7 file: server id 9701, end at 127. */
export function formatDescription97(): Uint8Array {
  return Deno.readFileSync(
    new URL("../../fixtures/statement/format_description.bin", import.meta.url),
  );
}

/** A session at a server with one file, like MySQL 9.7 with collation 255. */
export function statementSession(collation = 255): StatementSession {
  const userVariables = new Map<string, SqlValue>();
  const settings = new Map<string, string | null>();
  const counters = new ServerCounters(
    STATEMENTS.flatMap(({ counters }) => counters),
  );
  let characterSet = characterSetOfCollation(collation);
  let database: string | undefined;
  return {
    context: (overrides = {}) => ({
      server: {
        flavour: "mysql",
        serverId: "4000000001",
        serverUuid: SERVER_UUID,
        version: "9.7.4",
        greetingVersion: "9.7.4",
        versionComment: "kingbus 0.1.0",
        gtidMode: "ON",
        binlogFormat: "ROW",
        binlogChecksum: "CRC32",
        binlogRowImage: "FULL",
        hostName: "host",
        port: 3390,
        connectionsMax: 1000,
      },
      session: {
        connectionId: 7,
        user: "repl",
        host: "127.0.0.1",
        database,
        characterSet,
        userVariables,
        settings,
        rights: new Set(["replicate", "monitor"]),
        link: {
          bytesReceived: 10n,
          bytesSent: 20n,
          tlsVersion: "",
          tlsCipher: "",
        },
        warnings: [],
      },
      nowMs: 1_795_408_882_999,
      newUuid: () => NEW_UUID,
      log: {
        fileName: "binlog.000002",
        position: 5_000_000_000,
        executed: () => `${SERVER_UUID}:1-9`,
        purged: () => `${SERVER_UUID}:1-5`,
      },
      files: () => [{
        name: "binlog.000002",
        size: 5_000_000_000,
        formatDescription: formatDescription97(),
      }],
      replicas: () => [],
      processes: () => [],
      source: () => undefined,
      tally: () => ({
        startedAtMs: 1_795_408_872_000,
        connected: 3,
        running: 2,
        counters,
        refusals: {
          "access-denied": 4,
          "login-timeout": 1,
          "malformed-login": 0,
          "tls-failed": 0,
          "tls-required": 0,
          "no-source-yet": 0,
          "too-many-logins": 1,
          "too-many-connections": 2,
        },
        semiSync: undefined,
      }),
      count: (names) => counters.statement(names),
      ...overrides,
    }),
    apply: (result) => {
      if (result.kind !== "ok") return;
      const { change } = result;
      for (const [name, value] of change.userVariables ?? []) {
        userVariables.set(name, value);
      }
      for (const [name, value] of change.settings ?? []) {
        if (value === undefined) settings.delete(name);
        else settings.set(name, value);
      }
      characterSet = change.characterSet ?? characterSet;
      database = change.database ?? database;
    },
  };
}
