import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { MalformedEventError } from "../../../lib/binlog/malformed_event_error.ts";
import { ConnectionError } from "../../../lib/connection/connection_error.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { ServerError } from "../../../lib/protocol/server_error.ts";
import { TlsError } from "../../../lib/tls/tls_error.ts";
import { StoreError } from "../../../lib/store/binlog_store.ts";
import { SourceError } from "../../../lib/syncer/source_error.ts";
import { adviceFor } from "../../../lib/syncer/cause_text.ts";
import { withCauses } from "../../../scripts/cause_docs.ts";
import {
  retryAfter,
  SYNCER_CAUSES,
  type SyncerCause,
} from "../../../lib/syncer/syncer_cause.ts";
import {
  diagnose,
  type SyncerPhase,
} from "../../../lib/syncer/syncer_fault.ts";

const WHO = {
  user: "repl",
  serverId: 1001,
  uuid: "4b494e47-4255-1111-8000-000000004711",
};

function answer(code: number, message = "as the source says it"): ServerError {
  return new ServerError(code, "HY000", message);
}

const CASES: readonly (readonly [
  what: string,
  error: unknown,
  phase: SyncerPhase,
  cause: SyncerCause,
])[] = [
  [
    "a refused connection",
    new ConnectionError("refused", "no"),
    "connecting",
    "unreachable",
  ],
  [
    "a connection that ends in the login",
    new ConnectionError("closed", "no"),
    "connecting",
    "unreachable",
  ],
  [
    "a login that takes too long",
    new ConnectionError("timeout", "no"),
    "connecting",
    "unreachable",
  ],
  [
    "a connection that breaks in a dump",
    new ConnectionError("reset", "no"),
    "dumping",
    "lost",
  ],
  [
    "an answer that does not come",
    new ConnectionError("timeout", "no"),
    "preparing",
    "silent",
  ],
  ["1040 too many connections", answer(1040), "connecting", "unavailable"],
  ["1053 in shutdown", answer(1053), "preparing", "unavailable"],
  ["1203 too many of the account", answer(1203), "connecting", "unavailable"],
  ["1226 the account's limit", answer(1226), "connecting", "unavailable"],
  ["3032 offline mode", answer(3032), "connecting", "unavailable"],
  ["1045 at the login", answer(1045), "connecting", "refused"],
  ["1130 host not allowed", answer(1130), "connecting", "refused"],
  ["1862 password expired", answer(1862), "connecting", "refused"],
  ["3118 account locked", answer(3118), "connecting", "refused"],
  ["3955 locked by wrong passwords", answer(3955), "connecting", "refused"],
  ["1045 at registering", answer(1045), "preparing", "privileges"],
  ["1227 privilege missing", answer(1227), "preparing", "privileges"],
  ["1227 in a dump", answer(1227), "dumping", "privileges"],
  ["1381 log_bin off", answer(1381), "preparing", "unsuitable"],
  ["3159 TLS required", answer(3159), "connecting", "tls"],
  [
    "a server without TLS",
    new TlsError("not-offered", "no"),
    "connecting",
    "tls",
  ],
  [
    "a certificate of ours that a TLS 1.3 server refuses later",
    new ConnectionError("reset", "no", {
      cause: new TlsError("own-certificate", "no"),
    }),
    "connecting",
    "tls",
  ],
  [
    "1236 of MySQL 9.7 to the elder of two",
    answer(
      1236,
      "A replica with the same server_uuid/server_id as this replica has connected to the source; the first event '' at 4, the last event read from './binlog.000001' at 839, the last byte read from './binlog.000001' at 839.",
    ),
    "dumping",
    "duplicate-server-id",
  ],
  [
    "1236 of MySQL 5.7 to the elder of two",
    answer(
      1236,
      "A slave with the same server_uuid/server_id as this slave has connected to the master; the first event '' at 4",
    ),
    "dumping",
    "duplicate-server-id",
  ],
  [
    "4052 of MariaDB",
    answer(
      4052,
      "A slave with the same server_uuid/server_id is already connected; the first event '.' at 4",
    ),
    "dumping",
    "duplicate-server-id",
  ],
  [
    "1236 that there is no such file",
    answer(1236, "Could not find first log file name in binary log index file"),
    "dumping",
    "purged",
  ],
  [
    "1236 that there is no next file",
    answer(1236, "could not find next log; the first event"),
    "dumping",
    "purged",
  ],
  [
    "1236 that GTIDs were purged",
    answer(
      1236,
      "Cannot replicate because the source purged required binary logs. Replicate",
    ),
    "dumping",
    "purged",
  ],
  [
    "1236 of MariaDB that a GTID was purged",
    answer(
      1236,
      "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and required binlog files have been purged.",
    ),
    "dumping",
    "purged",
  ],
  [
    "1236 of MariaDB that the file is shorter",
    answer(
      1236,
      "Client requested master to start replication from impossible position; the first event",
    ),
    "dumping",
    "source-lost-events",
  ],
  [
    "1236 of MariaDB that a GTID is missing",
    answer(
      1236,
      "Error: connecting slave requested to start from GTID 0-8001-100, which is not in the master's binlog",
    ),
    "dumping",
    "source-lost-events",
  ],
  [
    "1236 that the file is shorter",
    answer(
      1236,
      "Client requested master to start replication from position > file size; the first event",
    ),
    "dumping",
    "source-lost-events",
  ],
  [
    "1236 that we have more GTIDs",
    answer(
      1236,
      "Replica has more GTIDs than the source has, using the source's SERVER_UUID.",
    ),
    "dumping",
    "source-lost-events",
  ],
  [
    "1236 of an event too large",
    answer(
      1236,
      "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on source",
    ),
    "dumping",
    "source-error",
  ],
  [
    "1236 of a wrong checksum in the source's file",
    answer(1236, "event read from binlog did not pass crc check"),
    "dumping",
    "source-error",
  ],
  [
    "1236 to one that knows no checksums",
    answer(
      1236,
      "Slave can not handle replication events with the checksum that master is configured to log",
    ),
    "dumping",
    "source-error",
  ],
  ["an unknown error", answer(1105), "preparing", "source-error"],
  [
    "a packet that is none",
    new ProtocolError(1158, "no greeting"),
    "connecting",
    "stream",
  ],
  [
    "an event that is none",
    new MalformedEventError("too short", 4),
    "dumping",
    "stream",
  ],
  ["a disk that fails", new StoreError("io", "no space"), "dumping", "disk"],
  [
    "a store taken over",
    new StoreError("fenced", "not ours"),
    "dumping",
    "fenced",
  ],
  ["a damaged store", new StoreError("corrupt", "no"), "dumping", "store"],
  ["a closed store", new StoreError("closed", "no"), "dumping", "store"],
  ["anything else", new TypeError("x is undefined"), "dumping", "internal"],
  ...([
    "hole",
    "reset",
    "other-source",
    "other-flavour",
    "behind",
    "errant",
    "own-server-id",
  ] as const).map((
    kind,
  ) =>
    [
      `a source's fault ${kind}`,
      new SourceError(kind, "no"),
      "preparing",
      kind,
    ] as const
  ),
];

for (const [what, error, phase, cause] of CASES) {
  Deno.test(`diagnose() takes ${what} for ${cause}`, () => {
    const fault = diagnose(error, phase, WHO);
    assertEquals(fault.cause, cause);
    const { message } = error as Error;
    assertStringIncludes(fault.reason, message);
  });
}

Deno.test("diagnose() is tested for every cause", () => {
  const tested = new Set(CASES.map(([, , , cause]) => cause));
  assertEquals(
    SYNCER_CAUSES.filter((cause) => !tested.has(cause)),
    [],
  );
});

Deno.test("diagnose() has a log that changed under the dump looked at again soon", () => {
  const missing = answer(1236, "Could not find first log file name");
  assertEquals(diagnose(missing, "dumping", WHO).retry, "soon");
  assertEquals(retryAfter("purged"), "never");
});

Deno.test("diagnose() names our ids to whom shares them with another replica", () => {
  const error = answer(1236, "A replica with the same server_uuid/server_id");
  const { reason } = diagnose(error, "dumping", WHO);
  for (
    const part of [
      "server id 1001",
      WHO.uuid,
      "source.server-id",
      "source.uuid",
    ]
  ) {
    assertStringIncludes(reason, part);
  }
});

for (const cause of SYNCER_CAUSES) {
  Deno.test(`adviceFor() says in plain text what to do about ${cause}`, () => {
    const advice = adviceFor(cause);
    assertMatch(advice, /^[A-Z].{10,}\.$/);
    assert(!advice.includes("`"), advice);
  });
}

Deno.test("every cause is met with a real server, and counted", async () => {
  const tests = new URL("../../", import.meta.url);
  let text = "";
  for (
    const folder of [
      "integration/mariadb",
      "integration/syncer",
      "integration/switch",
      "support",
    ]
  ) {
    for await (const { name } of Deno.readDir(new URL(folder, tests))) {
      text += await Deno.readTextFile(new URL(`${folder}/${name}`, tests));
    }
  }
  const missing = SYNCER_CAUSES.filter((cause) =>
    !new RegExp(
      `waitUntilCause\\(\\s*"${cause}"|cause, "${cause}"|cause === "${cause}"`,
    ).test(text)
  );
  assertEquals(missing, []);
});

Deno.test("docs/admin-api.md has a line for every cause, and no other", async () => {
  const url = new URL("../../../docs/admin-api.md", import.meta.url);
  const page = await Deno.readTextFile(url);
  assertMatch(page, /^\| cause /m);
  assertEquals(page, withCauses(page), "written by scripts/cause_docs.ts");
});
