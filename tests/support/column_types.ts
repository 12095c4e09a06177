/** A table with columns of every kind that both MySQL 5.6 and 9.7 have. */
const COLUMNS = [
  "tiny TINYINT",
  "tiny_u TINYINT UNSIGNED",
  "small SMALLINT",
  "medium MEDIUMINT UNSIGNED",
  "number INT",
  "big BIGINT",
  "big_u BIGINT UNSIGNED",
  "f FLOAT",
  "d DOUBLE",
  "exact DECIMAL(30, 10)",
  "bits BIT(12)",
  "day DATE",
  "moment TIME(3)",
  "local DATETIME(6)",
  "utc TIMESTAMP(2) NULL",
  "y YEAR",
  "c CHAR(10) CHARACTER SET utf8",
  "v VARCHAR(300) CHARACTER SET utf8mb4",
  "latin VARCHAR(20) CHARACTER SET latin1",
  "b BINARY(4)",
  "vb VARBINARY(10)",
  "t TEXT CHARACTER SET utf8mb4",
  "bl MEDIUMBLOB",
  "e ENUM('one', 'two', 'drei')",
  "s SET('a', 'b', 'c')",
  "g POINT",
];

const ROWS = [
  "1, -128, 255, -32768, 16777215, -2147483648, -9223372036854775808, " +
  "18446744073709551615, 1.5, 2.718281828459045, " +
  "12345678901234567890.0123456789, b'101010101010', '2026-11-23', " +
  "'-838:59:58.125', '2026-11-23 12:34:56.789012', '2026-11-23 12:34:56.78', " +
  "2026, 'naïve', 'clef 𝄞 and more', 'déjà', 'ab', X'00FF00', " +
  "'long text', REPEAT('blob', 3000), 'drei', 'a,c', " +
  "ST_GeomFromText('POINT(1 2)')",
  "2" + ", NULL".repeat(COLUMNS.length),
  "3, 127, 0, 32767, 0, 2147483647, 9223372036854775807, 0, -0.25, -1e300, " +
  "-0.0000000001, b'0', '1000-01-01', '00:00:00', '1000-01-01 00:00:00', " +
  "'1970-01-02 00:00:01', 1901, '', '', '', '', '', '', '', 'one', '', " +
  "ST_GeomFromText('POINT(-1.5 0)')",
];

/**
 * Statements that make a table of every column type, and insert, change and
 * delete rows of it. The last event that tells of a row has `last row` in it.
 *
 * @param json whether the server has JSON
 * @param altered whether the table gets another column on the way, which only
 *   clients that read the columns from the log itself can follow
 */
export function columnTypeStatements(
  { json, altered }: { json: boolean; altered: boolean },
): string[] {
  const jsonColumn = json ? ["j JSON"] : [];
  const values = (row: string, index: number): string =>
    json
      ? `(${row}, ${['\'{"a": [1, 2.5, "x", null]}\'', "NULL", "'[]'"][index]})`
      : `(${row})`;
  return [
    "SET SESSION sql_mode = ''",
    "SET SESSION time_zone = '+00:00'",
    `CREATE TABLE test.kinds (id INT PRIMARY KEY, ${
      [...COLUMNS, ...jsonColumn].join(", ")
    })`,
    ...ROWS.map((row, index) =>
      `INSERT INTO test.kinds VALUES ${values(row, index)}`
    ),
    "UPDATE test.kinds SET v = 'changed', number = 7 WHERE id = 1",
    "UPDATE test.kinds SET tiny = 1, v = NULL, t = 'was null' WHERE id = 2",
    "BEGIN",
    "INSERT INTO test.kinds (id, v) VALUES (10, 'ten'), (11, 'eleven')",
    "UPDATE test.kinds SET v = CONCAT(v, '!') WHERE id >= 10",
    "DELETE FROM test.kinds WHERE id = 11",
    "COMMIT",
    ...altered
      ? [
        "ALTER TABLE test.kinds ADD COLUMN added INT DEFAULT 5",
        "INSERT INTO test.kinds (id, v, added) VALUES (20, 'wider', 6)",
      ]
      : [],
    "DELETE FROM test.kinds WHERE id = 1",
    "FLUSH LOGS",
    "INSERT INTO test.kinds (id, v) VALUES (99, 'last row')",
  ];
}
