/**
 * Makes the table that tests write to, `test.t`: an `id` that counts by itself
 * and `data` of any length.
 */
export const TEST_TABLE =
  "CREATE TABLE test.t (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB)";
