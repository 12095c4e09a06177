import { assert, assertEquals } from "@std/assert";
import type { ClientConnection } from "../../../lib/connection/client_connection.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { REPLICATION_ACCOUNT } from "../../../scripts/test_servers/mysql56.ts";
import { waitUntil } from "../../../scripts/test_servers/wait_until.ts";
import { LOAD_TABLE } from "../../support/load_writer.ts";
import type { Member, ServerGroup } from "../../support/server_group.ts";
import { TestApp } from "../../support/test_app.ts";

/** Registers a test, or says why it is skipped. */
export type RegisterTest = (
  name: string,
  body: () => Promise<void>,
) => void | Promise<void>;

/** The words and errors of a generation. */
export interface SteeringWords {
  readonly title: string;
  /** `SHOW … STATUS`, and its names for the source and the replica. */
  readonly show: string;
  readonly source: "Source" | "Master";
  readonly replica: "Replica" | "Slave";
  /** `CHANGE … TO`. */
  readonly change: string;
  readonly start: string;
  readonly stop: string;
  /** What CHANGE is answered with while the source is followed. */
  readonly running: string;
}

const MORE = "INSERT INTO test.t (data) VALUES ('more')";

/** Registers the tests that steer kingbus by SQL. */
export async function steeringSuite(
  words: SteeringWords,
  group: ServerGroup,
  test: RegisterTest,
): Promise<void> {
  const { title, source, replica, change, start, stop } = words;
  const option = source.toUpperCase();

  const statusOf = async (
    client: ClientConnection,
  ): Promise<Record<string, string | null>> => {
    const { columns, rows } = await client.query(words.show);
    return Object.fromEntries(columns.map((name, at) => [
      name.replace(/Source|Master/, "Source").replace(
        new RegExp(`^${replica}_`),
        "Replica_",
      ),
      rows[0]?.[at] ?? null,
    ]));
  };

  const waitForStatus = async (
    client: ClientConnection,
    wanted: Record<string, string | null>,
  ): Promise<Record<string, string | null>> => {
    let last: Record<string, string | null> = {};
    try {
      return await waitUntil(
        `the status was ${JSON.stringify(wanted)}`,
        async () => {
          last = await statusOf(client);
          const isSo = Object.entries(wanted)
            .every(([name, value]) => last[name] === value);
          return isSo ? last : false;
        },
        { deadlineMs: 60_000, intervalMs: 50 },
      );
    } catch (cause) {
      throw new TypeError(`In vain; it was ${Deno.inspect(last)}`, { cause });
    }
  };

  const following = async (
    a: Member,
    app: TestApp,
    client: ClientConnection,
  ): Promise<void> => {
    await a.run(LOAD_TABLE, MORE);
    await app.waitUntilHas(await a.executed());
    await waitForStatus(client, {
      Replica_IO_Running: "Yes",
      Replica_SQL_Running: "Yes",
      Source_Host: "127.0.0.1",
      Source_User: REPLICATION_ACCOUNT.user,
      Source_Port: String(a.port),
      Last_IO_Errno: "0",
      Last_IO_Error: "",
      Executed_Gtid_Set: await a.executed(),
      Auto_Position: "1",
    });
  };

  await test(`STOP, CHANGE and START go over to another ${title} source, which a restart keeps`, async () => {
    const { a, b } = await group.fresh();
    await b.replica.start({ port: a.port });
    await using app = await TestApp.following(a);
    {
      await using client = await app.connect();
      await following(a, app, client);
      await b.replica.waitUntilHas(await a.executed());
      assertEquals(
        await faultOf(client.query(`${change} ${option}_PORT = ${b.port}`)),
        words.running,
      );
      await client.query(stop);
      await waitForStatus(client, {
        Replica_IO_Running: "No",
        Replica_SQL_Running: "No",
        Seconds_Behind_Source: null,
      });
      await client.query(stop);
      const { rows } = await client.query("SHOW WARNINGS");
      assertEquals(rows[0]?.[0], "Note");
      await b.promote();
      await b.run(MORE);
      await client.query(
        `${change} ${option}_PORT = ${b.port}, ${option}_AUTO_POSITION = 1`,
      );
      // only said so far: it is still stopped
      await waitForStatus(client, {
        Source_Port: String(b.port),
        Replica_IO_Running: "No",
      });
      await client.query(start);
      await app.waitUntilHas(await b.executed());
      await waitForStatus(client, {
        Replica_IO_Running: "Yes",
        Source_Port: String(b.port),
        // as MySQL writes those of several servers
        Executed_Gtid_Set: (await b.executed()).replaceAll(",", ",\n"),
      });
    }
    await app.stop();
    await b.run(MORE);
    await app.start();
    await app.waitUntilHas(await b.executed());
    await using client = await app.connect();
    await waitForStatus(client, {
      Replica_IO_Running: "Yes",
      Source_Port: String(b.port),
    });
    await client.query(stop);
    await app.stop();
    await app.start();
    await using again = await app.connect();
    const stopped = await statusOf(again);
    assertEquals(stopped["Replica_IO_Running"], "No");
    assertEquals(stopped["Source_Port"], String(b.port));
    assertEquals(app.app.syncer.report().wanted, false);
  });

  await test(`status by SQL tells how far a ${title} source's log is behind`, async () => {
    const { a } = await group.fresh();
    await using app = await TestApp.following(a, "  heartbeat: 3s\n");
    await using client = await app.connect();
    await following(a, app, client);
    await waitForStatus(client, { Seconds_Behind_Source: "0" });
    // as a transaction that is an hour old when it comes
    const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
    await a.run(
      `SET TIMESTAMP = ${anHourAgo}`,
      MORE,
      "SET TIMESTAMP = DEFAULT",
    );
    let most = 0;
    await waitUntil("the log was an hour behind", async () => {
      const status = await statusOf(client);
      most = Math.max(most, Number(status["Seconds_Behind_Source"]));
      return most >= 3600;
    }, { intervalMs: 20 });
    assert(most < 3700, String(most));
    // the source's next heartbeat says that there is no more
    await waitForStatus(client, { Seconds_Behind_Source: "0" });
  });

  await test(`status by SQL tells why a ${title} source is not followed, and never a password`, async () => {
    const { a } = await group.fresh();
    await using app = await TestApp.following(a);
    await using client = await app.connect();
    await following(a, app, client);
    const secret = "not-the-secret";
    await client.query(stop);
    await client.query(`${change} ${option}_PASSWORD = '${secret}'`);
    await client.query(start);
    const refused = await waitForStatus(client, { Last_IO_Errno: "1045" });
    assertEquals(refused["Replica_IO_Running"], "Connecting");
    assert(refused["Last_IO_Error"]?.includes("Access denied"));
    assert(/^\d{6} \d\d:\d\d:\d\d$/.test(
      refused["Last_IO_Error_Timestamp"] ?? "",
    ));
    await client.query(stop);
    await client.query(
      `${change} ${option}_PASSWORD = '${REPLICATION_ACCOUNT.password}'`,
    );
    await client.query(start);
    await waitForStatus(client, { Replica_IO_Running: "Yes" });
    await a.server.kill();
    const lost = await waitForStatus(client, { Last_IO_Errno: "2003" });
    assertEquals(lost["Replica_IO_Running"], "Connecting");
    assertEquals(lost["Replica_SQL_Running"], "Yes");
    assertEquals(lost["Seconds_Behind_Source"], null);
    await a.server.restart();
    await waitForStatus(client, {
      Replica_IO_Running: "Yes",
      Last_IO_Errno: "0",
      Seconds_Behind_Source: "0",
    });
    const shown = [
      ...app.lines,
      ...Object.values(await statusOf(client)),
      ...(await client.query("SHOW FULL PROCESSLIST")).rows.flat(),
    ].join("\n");
    for (const password of [secret, REPLICATION_ACCOUNT.password]) {
      assertEquals(shown.includes(password), false, password);
    }
  });
}

async function faultOf(query: Promise<unknown>): Promise<string> {
  try {
    await query;
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return `${error.code} ${error.message}`;
  }
  return "";
}
