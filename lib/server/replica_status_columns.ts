import type { ColumnDefinition } from "../protocol/result_set.ts";
import type { ClientCharacterSet } from "./client_character_set.ts";
import {
  textColumn,
  unsigned32Column,
  unsignedColumn,
} from "./statement_column.ts";

/** Name, type, and length in characters or digits, as MySQL 9.7 declares them. */
const COLUMNS: readonly (readonly [string, "text" | "int" | "long", number])[] =
  [
    ["Replica_IO_State", "text", 14],
    ["Source_Host", "text", 256],
    ["Source_User", "text", 97],
    ["Source_Port", "int", 8],
    ["Connect_Retry", "int", 11],
    ["Source_Log_File", "text", 512],
    ["Read_Source_Log_Pos", "long", 11],
    ["Relay_Log_File", "text", 512],
    ["Relay_Log_Pos", "long", 11],
    ["Relay_Source_Log_File", "text", 512],
    ["Replica_IO_Running", "text", 3],
    ["Replica_SQL_Running", "text", 3],
    ["Replicate_Do_DB", "text", 20],
    ["Replicate_Ignore_DB", "text", 20],
    ["Replicate_Do_Table", "text", 20],
    ["Replicate_Ignore_Table", "text", 23],
    ["Replicate_Wild_Do_Table", "text", 24],
    ["Replicate_Wild_Ignore_Table", "text", 28],
    ["Last_Errno", "int", 5],
    ["Last_Error", "text", 20],
    ["Skip_Counter", "int", 11],
    ["Exec_Source_Log_Pos", "long", 11],
    ["Relay_Log_Space", "long", 11],
    ["Until_Condition", "text", 6],
    ["Until_Log_File", "text", 512],
    ["Until_Log_Pos", "long", 11],
    ["Source_SSL_Allowed", "text", 7],
    ["Source_SSL_CA_File", "text", 512],
    ["Source_SSL_CA_Path", "text", 512],
    ["Source_SSL_Cert", "text", 512],
    ["Source_SSL_Cipher", "text", 512],
    ["Source_SSL_Key", "text", 512],
    ["Seconds_Behind_Source", "long", 11],
    ["Source_SSL_Verify_Server_Cert", "text", 3],
    ["Last_IO_Errno", "int", 5],
    ["Last_IO_Error", "text", 20],
    ["Last_SQL_Errno", "int", 5],
    ["Last_SQL_Error", "text", 20],
    ["Replicate_Ignore_Server_Ids", "text", 512],
    ["Source_Server_Id", "int", 9],
    ["Source_UUID", "text", 36],
    ["Source_Info_File", "text", 1024],
    ["SQL_Delay", "int", 11],
    ["SQL_Remaining_Delay", "int", 9],
    ["Replica_SQL_Running_State", "text", 20],
    ["Source_Retry_Count", "long", 11],
    ["Source_Bind", "text", 256],
    ["Last_IO_Error_Timestamp", "text", 20],
    ["Last_SQL_Error_Timestamp", "text", 20],
    ["Source_SSL_Crl", "text", 512],
    ["Source_SSL_Crlpath", "text", 512],
    ["Retrieved_Gtid_Set", "text", 0],
    ["Executed_Gtid_Set", "text", 0],
    ["Auto_Position", "int", 9],
    ["Replicate_Rewrite_DB", "text", 24],
    ["Channel_Name", "text", 192],
    ["Source_TLS_Version", "text", 512],
    ["Source_public_key_path", "text", 512],
    ["Get_Source_public_key", "int", 9],
    ["Network_Namespace", "text", 193],
  ];

/**
 * The columns of `SHOW REPLICA STATUS` (manual: "SHOW REPLICA STATUS
 * Statement"), or under their old names those of `SHOW SLAVE STATUS`.
 */
export function replicaStatusColumns(
  characterSet: ClientCharacterSet,
  oldNames: boolean,
): ColumnDefinition[] {
  return COLUMNS.map(([modern, type, length]) => {
    const name = oldNames ? oldName(modern) : modern;
    switch (type) {
      case "text":
        return textColumn(name, length, characterSet);
      case "int":
        return unsigned32Column(name, length);
      case "long":
        return unsignedColumn(name, length);
    }
  });
}

function oldName(name: string): string {
  if (name === "Get_Source_public_key") return "Get_master_public_key";
  return name.replace("Source", "Master").replace("Replica_", "Slave_");
}
