import { assertEquals, assertRejects } from "@std/assert";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import { SourceSession } from "../../../lib/syncer/source_session.ts";

type Rows = (string | null)[][];

/** A session with a source that answers these statements and no other. */
function sessionOf(answers: Record<string, Rows>): SourceSession {
  const connection = {
    query: (statement: string) => {
      const rows = answers[statement];
      return rows === undefined
        ? Promise.reject(new ServerError(1064, "42000", "syntax"))
        : Promise.resolve({ columns: [], rows, affectedRows: 0n });
    },
  };
  return new SourceSession(connection as unknown as ClientConnection);
}

Deno.test("SourceSession.files() counts what is in front of an encrypted file out", async () => {
  const session = sessionOf({
    "SHOW BINARY LOGS": [
      ["binlog.000001", "714", "Yes"],
      ["binlog.000002", "202", "No"],
    ],
  });
  const files = await session.files();
  assertEquals(files.map(({ size }) => size), [202, 202]);
});

Deno.test("SourceSession.files() refuses a source without any", async () => {
  const session = sessionOf({ "SHOW BINARY LOGS": [] });
  const error = await assertRejects(() => session.files(), SourceError);
  assertEquals(error.kind, "unsuitable");
});

const US = { serverId: 7, uuid: "4b494e47-4255-1111-8000-000000004711" };

for (const statement of ["SHOW REPLICAS", "SHOW SLAVE HOSTS"]) {
  Deno.test(`SourceSession.registered() finds who has our ids by ${statement}`, async () => {
    const other = ["8", "db8", "3306", "1", "u-8"];
    const cases: [Rows, string | undefined][] = [
      [[], undefined],
      [[other], undefined],
      [[other, ["7", "db7", "3306", "1", "u-7"]], "db7"],
      [
        [other, ["9", "", "0", "1", US.uuid.toUpperCase()]],
        "a host without name",
      ],
      [[["7", "db7", "3306", "1"]], "db7"],
    ];
    for (const [rows, host] of cases) {
      const session = sessionOf({ [statement]: rows });
      assertEquals(await session.registered(US), host);
    }
  });
}

Deno.test("SourceSession.registered() knows of nobody where it may not see them", async () => {
  assertEquals(await sessionOf({}).registered(US), undefined);
});
