import { encodeErr } from "../../../lib/protocol/response.ts";
import {
  encodeTextResultSet,
  TextResultSetDecoder,
} from "../../../lib/protocol/result_set.ts";
import { answerStatement } from "../../../lib/server/statement.ts";
import type { StatementResult } from "../../../lib/server/statement_result.ts";
import { splitPackets } from "../../support/dump_packets.ts";
import { statementSession } from "../../unit/server/statement_session.ts";
import { type FuzzTarget, require, wordsOf } from "../fuzz_target.ts";

const FIXTURES = new URL("../../fixtures/statement/", import.meta.url);
const encoder = new TextEncoder();

/** Statements that the captured ones do not cover. */
const MORE = [
  "SET @slave_uuid = 'd63952fd-e6f6-11f1-a979-02fc00000001', @replica_uuid = @slave_uuid",
  "SET @master_heartbeat_period = 30000001024, @source_heartbeat_period = 30000001024",
  "SET @master_binlog_checksum = @@global.binlog_checksum",
  "SET NAMES utf8mb4 COLLATE utf8mb4_0900_ai_ci",
  "/*!40101 SET SQL_MODE='' */",
  "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('a', 'server_id') OR Value LIKE '%x_\\%'",
  "SHOW BINLOG EVENTS IN 'binlog.000001' FROM 4 LIMIT 2, 10",
  "SHOW GLOBAL STATUS LIKE 'Rpl\\_semi%'",
  "PURGE BINARY LOGS BEFORE DATE_SUB(NOW(), INTERVAL 3 DAY) -- all",
  "PURGE BINARY LOGS TO 'binlog.000002'",
  "KILL QUERY 17",
  "SELECT @@global.server_id, @a := 1, 'x' AS y, CONCAT('a', 1), -1.5e3, 0x41, NULL",
  "SHOW REPLICA STATUS FOR CHANNEL ''",
  "SHOW FULL PROCESSLIST",
  "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db1', SOURCE_PORT = 3306, SOURCE_AUTO_POSITION = 1",
  "START REPLICA UNTIL SQL_AFTER_GTIDS = ''",
  "STOP SLAVE IO_THREAD FOR CHANNEL 'a'",
  "CHANGE MASTER TO MASTER_PASSWORD = 'p', IGNORE_SERVER_IDS = (1, 2), MASTER_DELAY = 0",
  "SHOW SLAVE '' STATUS",
  "SHOW GRANTS FOR 'repl'@'%'",
  "SELECT IFNULL(@@global.report_host, ''), @@global.gtid_mode = 'ON', COALESCE(NULL, 1)",
  "SELECT SUBSTRING_INDEX(host, ':', 1) AS h FROM information_schema.processlist WHERE command IN ('Binlog Dump') LIMIT 3",
];

const WORDS =
  "SELECT SET SHOW @@ @ global. session. LIKE WHERE IN AND OR NOT ( ) , ; = := ' \" ` \\ % _ /* */ /*! -- # 0x x' NULL 1e309 999999999999999999999 INTERVAL DATE_SUB NOW() CONCAT( AS LIMIT FROM BEFORE TO"
    .split(" ");

function statements(): string[] {
  const captured: { statement: string }[] = JSON.parse(
    Deno.readTextFileSync(new URL("mysql97.json", FIXTURES)),
  );
  return [...captured.map(({ statement }) => statement), ...MORE];
}

/** What the client would be sent; it has to be what was answered. */
function checkSent(result: StatementResult): string {
  switch (result.kind) {
    case "rows": {
      const packets = splitPackets(encodeTextResultSet(result, 0, 1));
      const decoder = new TextResultSetDecoder(0);
      for (const { payload } of packets) decoder.push(payload);
      const { columns, rows } = decoder.answer();
      require(columns.length === result.columns.length, "all columns arrive");
      require(rows.length === result.rows.length, "all rows arrive");
      return `${Math.min(columns.length, 4)} ${Math.min(rows.length, 3)}`;
    }
    case "error":
      encodeErr(result);
      return `${result.code} ${wordsOf(result.message)}`;
    default:
      return Object.keys(result).join();
  }
}

/** Any text is answered; what one statement leaves behind meets the next. */
export const STATEMENT_TARGETS: readonly FuzzTarget[] = [{
  name: "statement",
  corpus: statements().map((statement) => encoder.encode(statement)),
  dictionary: WORDS.map((word) => encoder.encode(` ${word} `)),
  run(bytes) {
    const session = statementSession();
    const answers = new TextDecoder().decode(bytes).split("\0").slice(0, 20)
      .map((text) => {
        const result = answerStatement(text, session.context());
        session.apply(result);
        return `${result.kind} ${checkSent(result)}`;
      });
    const { userVariables } = session.context().session;
    require(userVariables.size <= 256, "user variables are limited");
    return answers.slice(-2).join(" | ");
  },
}];
