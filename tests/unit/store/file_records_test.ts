import { assert, assertEquals } from "@std/assert";
import {
  COMMIT_FILE_BYTES_MAX,
  COMMIT_FILES_MAX,
  type FileRecord,
} from "../../../lib/store/block_engine.ts";
import { FileRecords, recordBytes } from "../../../lib/store/file_records.ts";

function record(number: number, bytes = 8, closed = false): FileRecord {
  return {
    number,
    name: `binlog.${number}`,
    firstBlock: number,
    size: 0,
    closed,
    serverUuid: "",
    previousGtids: new Uint8Array(bytes),
    formatDescription: new Uint8Array(bytes),
    checksumAlgorithm: "none",
    firstTimestamp: 0,
    lastTimestamp: 0,
  };
}

Deno.test("FileRecords.take() gives every change out once, the newest of a file", () => {
  const files = new FileRecords();
  assertEquals([files.current, files.hasChanges], [undefined, false]);
  files.set(record(1));
  files.set(record(1, 8, true));
  files.set(record(2));
  assertEquals(files.current, record(2));
  assertEquals(files.take(), [record(1, 8, true), record(2)]);
  assertEquals([files.take(), files.hasChanges], [[], false]);
});

Deno.test("FileRecords.take() gives out no more than a commit holds", () => {
  for (const bytes of [8, 100_000]) {
    const files = new FileRecords();
    for (let number = 1; number <= 250; number++) {
      files.set(record(number, bytes));
    }
    const numbers: number[] = [];
    while (files.hasChanges) {
      const taken = files.take();
      const sum = taken.reduce((all, one) => all + recordBytes(one), 0);
      assert(taken.length > 0 && taken.length <= COMMIT_FILES_MAX);
      assert(sum <= COMMIT_FILE_BYTES_MAX);
      numbers.push(...taken.map((one) => one.number));
    }
    assertEquals(numbers, Array.from({ length: 250 }, (_, at) => at + 1));
  }
});

Deno.test("FileRecords.goBackTo() goes back to what is durable", () => {
  const files = new FileRecords();
  for (const number of [1, 2, 3]) files.set(record(number));
  files.committed(files.take(), 1);
  files.set(record(3, 8, true));
  files.set(record(4));
  assertEquals(files.goBackTo(2), record(2));
  assertEquals([files.current, files.hasChanges], [record(2), false]);
  // What was behind it is forgotten, and what is before the head.
  assertEquals(files.goBackTo(3), undefined);
  files.set(record(2, 8, true));
  files.committed(files.take(), 2);
  assertEquals(files.goBackTo(1), undefined);
  assertEquals(files.goBackTo(0), undefined);
});
