/**
 * Transactions of every kind that any source may log. They need `test.t` with
 * an `id` that counts by itself, `data` of any length, and some rows.
 */
export const TRANSACTION_KINDS: Readonly<Record<string, readonly string[]>> = {
  "DDL": [
    "CREATE DATABASE other",
    "CREATE TABLE other.t (id INT PRIMARY KEY, name VARCHAR(20)) CHARSET utf8",
    "ALTER TABLE other.t ADD COLUMN n INT NOT NULL DEFAULT 5, ADD INDEX (n)",
    "CREATE TABLE other.m (id INT) ENGINE=MyISAM",
    "INSERT INTO other.m VALUES (1), (2)",
    "TRUNCATE other.m",
    "CREATE VIEW other.v AS SELECT id FROM other.t",
    "CREATE TRIGGER other.g BEFORE INSERT ON other.t FOR EACH ROW SET NEW.n = 7",
    "INSERT INTO other.t (id, name) VALUES (1, 'naïve ∑')",
    "DROP VIEW other.v",
    "RENAME TABLE other.m TO other.n",
    "DROP TABLE other.n",
  ],
  "transactions, savepoints and rollbacks": [
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('a')",
    "SAVEPOINT one",
    "INSERT INTO test.t (data) VALUES ('never')",
    "ROLLBACK TO one",
    "INSERT INTO test.t (data) VALUES ('b')",
    "SAVEPOINT two",
    "RELEASE SAVEPOINT two",
    "COMMIT",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('never')",
    "ROLLBACK",
    "UPDATE test.t SET data = CONCAT(data, '!')",
    "DELETE FROM test.t WHERE id = 1",
  ],
  "a rollback that cannot take a table along": [
    "CREATE TABLE test.m (id INT PRIMARY KEY) ENGINE=MyISAM",
    "SET SESSION binlog_format = MIXED",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES ('never')",
    "ROLLBACK",
    "INSERT INTO test.m VALUES (1)",
    "SET SESSION binlog_format = ROW",
  ],
  "statements": [
    "SET SESSION binlog_format = STATEMENT",
    "INSERT INTO test.t (data) VALUES ('statement')",
    "SET @name = 'user variable'",
    "SET INSERT_ID = 500",
    "INSERT INTO test.t (data) VALUES (@name)",
    "INSERT INTO test.t (data) VALUES (RAND())",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES (NOW())",
    "UPDATE test.t SET data = CONCAT(data, LAST_INSERT_ID())",
    "COMMIT",
    "SET SESSION binlog_format = ROW",
  ],
  "row images and the query beside them": [
    "SET SESSION binlog_rows_query_log_events = ON",
    "SET SESSION binlog_row_image = MINIMAL",
    "UPDATE test.t SET data = 'minimal' WHERE id = 1",
    "SET SESSION binlog_row_image = FULL",
    "SET SESSION binlog_rows_query_log_events = OFF",
  ],
  "XA transactions": [
    "XA START 'one'",
    "INSERT INTO test.t (data) VALUES ('xa')",
    "XA END 'one'",
    "XA PREPARE 'one'",
    "XA COMMIT 'one'",
    "XA START 'two'",
    "INSERT INTO test.t (data) VALUES ('xa, one phase')",
    "XA END 'two'",
    "XA COMMIT 'two' ONE PHASE",
    "XA START 'three'",
    "INSERT INTO test.t (data) VALUES ('never')",
    "XA END 'three'",
    "XA PREPARE 'three'",
    "XA ROLLBACK 'three'",
  ],
  "temporary tables": [
    "SET SESSION binlog_format = STATEMENT",
    "CREATE TEMPORARY TABLE test.tmp (id INT)",
    "INSERT INTO test.tmp VALUES (1), (2)",
    "INSERT INTO test.t (data) SELECT id FROM test.tmp",
    "DROP TEMPORARY TABLE test.tmp",
    "SET SESSION binlog_format = ROW",
    "CREATE TEMPORARY TABLE test.tmp (id INT)",
    "INSERT INTO test.tmp VALUES (1), (2)",
    "INSERT INTO test.t (data) SELECT id FROM test.tmp",
    "DROP TEMPORARY TABLE test.tmp",
  ],
  "GTIDs of another server, with gaps, and empty ones": [
    "SET gtid_next = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:5'",
    "INSERT INTO test.t (data) VALUES ('foreign')",
    "SET gtid_next = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:7'",
    "BEGIN",
    "COMMIT",
    "SET gtid_next = 'AUTOMATIC'",
  ],
  "a transaction of many rows": [
    "INSERT INTO test.t (data) VALUES " +
    Array.from({ length: 5000 }, (_, n) => `('row ${n}')`).join(", "),
    "UPDATE test.t SET data = CONCAT(data, ' changed')",
    "DELETE FROM test.t WHERE id % 3 = 0",
  ],
  "rows of many megabytes": [
    // InnoDB takes no more than a tenth of its log in a transaction
    "CREATE TABLE test.large (data LONGBLOB) ENGINE=MyISAM",
    "INSERT INTO test.large VALUES (REPEAT('x', 3000000)), ('small')",
    "UPDATE test.large SET data = CONCAT(data, REPEAT('y', 2000000))",
    "DELETE FROM test.large WHERE LENGTH(data) > 3000000",
  ],
};

/** What MySQL 8 and later log beside these; needs MySQL 9. */
export const MODERN_KINDS: Readonly<Record<string, readonly string[]>> = {
  "tagged GTIDs": [
    "SET gtid_next = 'AUTOMATIC:blue'",
    "INSERT INTO test.t (data) VALUES ('blue')",
    "INSERT INTO test.t (data) VALUES ('blue, too')",
    "SET gtid_next = 'AUTOMATIC:a_very_long_tag_name_0123456789a'",
    "INSERT INTO test.t (data) VALUES ('a tag of 32 characters')",
    "SET gtid_next = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:green:1000000'",
    "INSERT INTO test.t (data) VALUES ('foreign and tagged')",
    "SET gtid_next = 'AUTOMATIC'",
  ],
  "compressed transactions": [
    "SET SESSION binlog_transaction_compression = ON",
    "INSERT INTO test.t (data) VALUES (REPEAT('compressed ', 50))",
    "BEGIN",
    "INSERT INTO test.t (data) VALUES (REPEAT('large ', 100000))",
    "UPDATE test.t SET data = 'short' WHERE id = 1",
    "COMMIT",
    "CREATE TABLE test.plain (id INT PRIMARY KEY)",
    "SET SESSION binlog_transaction_compression = OFF",
  ],
  "JSON in parts": [
    "CREATE TABLE test.j (id INT PRIMARY KEY, j JSON)",
    `INSERT INTO test.j VALUES (1, '{"a":[1,2,{"b":"c"}],"k":null}')`,
    "SET SESSION binlog_row_value_options = PARTIAL_JSON",
    "UPDATE test.j SET j = JSON_SET(j, '$.a[0]', 42)",
    "SET SESSION binlog_row_value_options = ''",
  ],
  "a table made from a query": [
    "CREATE TABLE test.copy AS SELECT id, data FROM test.t",
  ],
};

/** All that MySQL 9.7 logs. */
export const MYSQL97_KINDS: Readonly<Record<string, readonly string[]>> = {
  ...TRANSACTION_KINDS,
  ...MODERN_KINDS,
};
