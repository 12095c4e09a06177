/** Database of the demo, on the source. */
export const DATABASE = "kingbus_demo";

/** Accounts of the bank that the demo plays. */
export const ACCOUNT_COUNT = 200;

/** Account holders: text of one to four bytes a character. */
const HOLDERS = ["Ada", "Zoë", "Иван", "Łucja", "李雷", "🦊 Fox"];

/** The number of the one row of `heartbeat`. */
export const HEARTBEAT_ID = 1;

/**
 * Statements that make the demo's database. Every table, those that come and go
 * later too, has a primary key `id` of one integer, by which rows are compared.
 */
export function schemaStatements(): string[] {
  return [
    `CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`,
    `USE ${DATABASE}`,
    `CREATE TABLE account (
  id BIGINT PRIMARY KEY,
  holder VARCHAR(60) NOT NULL,
  balance DECIMAL(14,2) NOT NULL,
  changed_at DATETIME(3) NULL
)`,
    `CREATE TABLE transfer (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  from_account BIGINT NOT NULL,
  to_account BIGINT NOT NULL,
  amount DECIMAL(14,2) NOT NULL,
  made_at TIMESTAMP(6) NOT NULL
)`,
    `CREATE TABLE purchase (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  account_id BIGINT NOT NULL,
  state ENUM('new','paid','sent') NOT NULL,
  note TEXT NULL,
  weight DOUBLE NOT NULL,
  placed_at DATETIME(3) NOT NULL
)`,
    `CREATE TABLE purchase_item (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  purchase_id BIGINT NOT NULL,
  product VARCHAR(80) NOT NULL,
  quantity INT UNSIGNED NOT NULL,
  label VARBINARY(32) NOT NULL,
  KEY purchase (purchase_id)
)`,
    `CREATE TABLE document (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  body MEDIUMBLOB NOT NULL
)`,
    `CREATE TABLE heartbeat (
  id INT PRIMARY KEY,
  beat BIGINT NOT NULL,
  written_at DATETIME(6) NOT NULL
)`,
    `INSERT INTO heartbeat VALUES (${HEARTBEAT_ID}, 0, NOW(6))`,
    `INSERT INTO account (id, holder, balance) VALUES ${accountRows()}`,
  ];
}

function accountRows(): string {
  return Array.from({ length: ACCOUNT_COUNT }, (_, at) => {
    const holder = `${HOLDERS[at % HOLDERS.length]} ${at + 1}`;
    return `(${at + 1}, '${holder}', 1000)`;
  }).join(", ");
}
