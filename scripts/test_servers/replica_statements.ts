/**
 * What a replica of MySQL 8.0.26 and later says before it registers.
 *
 * @param uuid its server uuid
 */
export function replicaStatements(uuid: string): string[] {
  return [
    "SELECT UNIX_TIMESTAMP()",
    "SELECT @@GLOBAL.SERVER_ID",
    "SET @master_heartbeat_period = 30000001024, @source_heartbeat_period = 30000001024",
    "SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum",
    "SELECT @source_binlog_checksum",
    "SELECT @@GLOBAL.GTID_MODE",
    "SELECT @@GLOBAL.SERVER_UUID",
    `SET @slave_uuid = '${uuid}', @replica_uuid = '${uuid}'`,
  ];
}
