/** Name of the store's database in the data folder. */
const DATABASE_NAME = "kingbus.db";

/** Where the store of a data folder is, as `openKvStore` wants it. */
export function databasePath(dataDir: string): string {
  return `${dataDir}/${DATABASE_NAME}`;
}
