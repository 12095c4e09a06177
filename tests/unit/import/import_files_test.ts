import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { writeEventChecksum } from "../../../lib/binlog/checksum.ts";
import { HEADER_BYTES } from "../../../lib/binlog/event_header.ts";
import { GtidSet } from "../../../lib/gtid/gtid_set.ts";
import { listBinlogPaths } from "../../../lib/import/binlog_path.ts";
import {
  type ImportedFile,
  importFiles,
  type ImportOptions,
} from "../../../lib/import/import_files.ts";
import { ImportError } from "../../../lib/import/import_error.ts";
import {
  type BinlogStore,
  FIRST_POSITION,
} from "../../../lib/store/binlog_store.ts";
import { openMemoryStore } from "../../../lib/store/memory_store.ts";
import {
  type BinlogFixture,
  loadBinlogFixture,
  loadBinlogFixtures,
} from "../../support/binlog_fixture.ts";
import { BinlogFolder } from "../../support/binlog_folder.ts";
import { joinBytes } from "../../support/dump_packets.ts";
import { largeRowsTransaction } from "../../support/large_transaction.ts";
import { logFromFixtures } from "../../support/log_from_fixtures.ts";
import { readFile } from "../../support/read_stored_file.ts";

const UUID = "d63952fd-e6f6-11f1-a979-02fc00000001";
const IN_USE_OFFSET = FIRST_POSITION + 17;

function fixturesOf(server: "mysql56" | "mysql97"): BinlogFixture[] {
  return loadBinlogFixtures(server).filter(({ name }) =>
    name.startsWith("binlog.")
  );
}

async function importAll(
  store: BinlogStore,
  paths: readonly string[],
  options: Partial<ImportOptions> = {},
): Promise<ImportedFile[]> {
  return await importFiles(store, await listBinlogPaths(paths), {
    serverUuid: UUID,
    acceptTornEnd: false,
    ...options,
  });
}

/** A captured file as a dump of its server has it, from position 4 on. */
function served({ bytes }: BinlogFixture): Uint8Array {
  const copy = bytes.slice();
  copy[IN_USE_OFFSET] = copy[IN_USE_OFFSET]! & ~1;
  return copy.subarray(FIRST_POSITION);
}

async function assertHolds(
  store: BinlogStore,
  fixtures: readonly BinlogFixture[],
): Promise<void> {
  assertEquals(
    store.files.map(({ name, size }) => [name, size]),
    fixtures.map(({ name, bytes }) => [name, bytes.length]),
  );
  for (const [index, fixture] of fixtures.entries()) {
    assertEquals(await readFile(store, store.files[index]!), served(fixture));
  }
  assertEquals(
    store.head!.executed.toString(),
    GtidSet.parse(fixtures.at(-1)!.truth.executed_after!).toString(),
  );
}

for (const server of ["mysql56", "mysql97"] as const) {
  Deno.test(`importFiles() stores ${server}'s files byte for byte`, async () => {
    const fixtures = fixturesOf(server);
    using folder = new BinlogFolder(fixtures);
    folder.write("binlog.index", new TextEncoder().encode("./binlog.000001\n"));
    await using store = await openMemoryStore();
    let progress = 0;
    const done = await importAll(store, [folder.path], {
      onProgress: (bytes) => {
        assert(bytes >= progress);
        progress = bytes;
      },
    });
    const total = fixtures.reduce((sum, { bytes }) => sum + bytes.length, 0);
    assertEquals(progress, total);
    assertEquals(done.map(({ tornBytes }) => tornBytes), fixtures.map(() => 0));
    await assertHolds(store, fixtures);
    assertEquals(store.files[0]!.serverUuid, UUID);
  });

  Deno.test(`importFiles() goes on where an import of ${server}'s files ended`, async () => {
    const fixtures = fixturesOf(server);
    using folder = new BinlogFolder(fixtures);
    const first = fixtures[0]!;
    // Wherever the first file ends, the second run completes it.
    for (const { position } of first.events.slice(3)) {
      await using store = await openMemoryStore();
      using cut = new BinlogFolder();
      const path = cut.write(first.name, first.bytes.slice(0, position));
      await importAll(store, [path], { acceptTornEnd: true });
      await importAll(store, [folder.path]);
      await assertHolds(store, fixtures);
      const again = await importAll(store, [folder.path]);
      assertEquals(again.map(({ bytes }) => bytes), fixtures.map(() => 0));
    }
  });
}

Deno.test("importFiles() goes on with a log that was followed", async () => {
  const fixtures = fixturesOf("mysql97");
  using folder = new BinlogFolder(fixtures.slice(2));
  await using store = await logFromFixtures(fixtures.slice(0, 2), UUID);
  await importAll(store, [folder.path]);
  await assertHolds(store, fixtures);
});

Deno.test("importFiles() keeps events of 16 MiB and more, whatever their framing", async () => {
  const fixture = loadBinlogFixture("mysql56", "binlog.000003");
  const end = fixture.events.findLastIndex(({ type }) => type === 16) + 1;
  const kept = fixture.events.slice(0, end).map(({ bytes }) => bytes);
  const position = fixture.events[end]!.position;
  const PACKET = 0xff_ffff;
  // One byte of each event's first packet is its status.
  for (
    const rowsBytes of [
      63_994,
      63_995,
      63_996,
      PACKET - 2,
      PACKET - 1,
      PACKET,
      2 * PACKET - 1,
    ]
  ) {
    const more = largeRowsTransaction({
      position,
      rowsBytes,
      uuid: UUID,
      gno: 900_000n,
    });
    const file = joinBytes([
      fixture.bytes.slice(0, FIRST_POSITION),
      ...kept,
      ...more,
    ]);
    using folder = new BinlogFolder();
    const path = folder.write("binlog.000003", file);
    await using store = await openMemoryStore();
    const [done] = await importAll(store, [path]);
    assertEquals(done!.tornBytes, 0);
    assertEquals(store.head!.lastGtid, `${UUID}:900000`);
    const stored = await readFile(store, store.files[0]!);
    assertEquals(stored.length, file.length - FIRST_POSITION);
    assertEquals(
      stored.findIndex((byte, at) => byte !== file[at + FIRST_POSITION]),
      -1,
      `rows event of ${rowsBytes} bytes`,
    );
  }
});

Deno.test("importFiles() of a file cut anywhere keeps its whole transactions", async () => {
  const fixture = loadBinlogFixture("mysql97", "binlog.000003");
  const whole = served(fixture);
  for (let size = 0; size < fixture.bytes.length; size++) {
    using folder = new BinlogFolder();
    const path = folder.write(fixture.name, fixture.bytes.slice(0, size));
    await using store = await openMemoryStore();
    const outcome = await importAll(store, [path]).catch((error) => error);
    const at = `cut at ${size}`;
    if (store.files.length > 0) {
      const stored = await readFile(store, store.files[0]!);
      assertEquals(stored, whole.subarray(0, stored.length), at);
      assertEquals(store.head!.position, stored.length + FIRST_POSITION, at);
    }
    if (outcome instanceof ImportError) {
      const fault = size < FIRST_POSITION ? "not-a-binlog" : "torn";
      assertEquals(outcome.fault, fault, `${at}: ${outcome.message}`);
      assertStringIncludes(outcome.message, path);
    } else {
      // Nothing was lost: the cut fell between two transactions.
      assertEquals(store.head?.position, size, at);
    }
  }
});

Deno.test("importFiles() accepts the torn end of a file its server had open", async () => {
  const fixture = loadBinlogFixture("mysql97", "binlog.000003");
  const last = fixture.events.at(-2)!;
  const bytes = fixture.bytes.slice(0, last.position + 5);
  bytes[IN_USE_OFFSET]! |= 1;
  using folder = new BinlogFolder();
  const path = folder.write(fixture.name, bytes);
  await using store = await openMemoryStore();
  const [done] = await importAll(store, [path]);
  assertEquals(done!.tornBytes, bytes.length - store.head!.position);
  assert(done!.tornBytes > 0);
  const stored = await readFile(store, store.files[0]!);
  assertEquals(stored, served(fixture).subarray(0, stored.length));
});

Deno.test("importFiles() notices every flipped bit of a file with checksums", async () => {
  const fixture = loadBinlogFixture("mysql97", "binlog.000005");
  const whole = served(fixture);
  for (let at = 0; at < fixture.bytes.length; at++) {
    const bytes = fixture.bytes.slice();
    bytes[at]! ^= 1 << at % 8;
    using folder = new BinlogFolder();
    const path = folder.write(fixture.name, bytes);
    await using store = await openMemoryStore();
    const outcome = await importAll(store, [path]).catch((error) => error);
    const what = `bit ${at % 8} of byte ${at}`;
    if (store.files.length > 0) {
      const stored = await readFile(store, store.files[0]!);
      assertEquals(stored, whole.subarray(0, stored.length), what);
    }
    if (!(outcome instanceof ImportError)) {
      throw new Error(`${what} was not noticed`, { cause: outcome });
    }
    assertStringIncludes(outcome.message, path);
  }
});

interface Refusal {
  readonly fault: ImportError["fault"];
  readonly message: string;
}

async function assertRefused(
  store: BinlogStore,
  paths: readonly string[],
  { fault, message }: Refusal,
): Promise<void> {
  const before = store.head?.position;
  const error = await assertRejects(() => importAll(store, paths), ImportError);
  assertEquals(error.fault, fault, error.message);
  assertStringIncludes(error.message, message);
  assertEquals(store.head?.position, before);
}

Deno.test("importFiles() refuses what is no binlog file", async () => {
  await using store = await openMemoryStore();
  using folder = new BinlogFolder();
  const text = new TextEncoder().encode("SELECT 1;\n");
  await assertRefused(store, [folder.write("binlog.000001", text)], {
    fault: "not-a-binlog",
    message: "it begins with 53454c45",
  });
  const encrypted = Uint8Array.of(0xfd, 0x62, 0x69, 0x6e, ...text);
  await assertRefused(store, [folder.write("binlog.000001", encrypted)], {
    fault: "encrypted",
    message: "mysqlbinlog",
  });
  await assertRefused(store, [folder.write("binlog.index", text)], {
    fault: "not-a-binlog",
    message: "a number of six digits",
  });
  await assertRefused(store, [`${folder.path}/binlog.000009`], {
    fault: "io",
    message: "there is no such file",
  });
  const empty = await Deno.makeTempDir({ dir: folder.path });
  await assertRefused(store, [empty], {
    fault: "not-a-binlog",
    message: "holds no binlog files",
  });
});

Deno.test("importFiles() refuses files that are not in order", async () => {
  const [one, two, three, four] = fixturesOf("mysql97");
  await using store = await logFromFixtures([one!, two!], UUID);
  // A gap, behind the store and between two files.
  using gap = new BinlogFolder([four!]);
  await assertRefused(store, [gap.path], {
    fault: "order",
    message: "it does not follow binlog.000002",
  });
  using hole = new BinlogFolder([one!, three!]);
  await assertRefused(store, [hole.path], {
    fault: "order",
    message: "after binlog.000001 comes number 2",
  });
  // The contents of another file.
  using swapped = new BinlogFolder();
  await assertRefused(
    store,
    [swapped.write("binlog.000003", four!.bytes)],
    { fault: "other-history", message: "follows transactions that the store" },
  );
  await assertRefused(store, [swapped.write("binlog.000002", one!.bytes)], {
    fault: "other-history",
    message: "the store has another file of this name",
  });
  using mixed = new BinlogFolder();
  await assertRefused(
    store,
    [
      mixed.write("binlog.000003", three!.bytes),
      mixed.write("other.000004", four!.bytes),
    ],
    { fault: "order", message: "one server at a time" },
  );
});

Deno.test("importFiles() refuses the files of another server", async () => {
  const ours = fixturesOf("mysql97");
  const foreign = fixturesOf("mysql56");
  await using store = await logFromFixtures(ours.slice(0, 2), UUID);
  using folder = new BinlogFolder();
  await assertRefused(
    store,
    [folder.write("binlog.000003", foreign[2]!.bytes)],
    { fault: "other-history", message: "5fd71d74" },
  );
  await assertRefused(
    store,
    [folder.write("binlog.000003", foreign[0]!.bytes)],
    {
      fault: "other-history",
      message: "the store has transactions that the file does not follow",
    },
  );
});

Deno.test("importFiles() refuses a file in the middle that is cut short", async () => {
  const [one, two] = fixturesOf("mysql97");
  // Between two transactions, so that the file itself looks well.
  const boundary = one!.events.findLast(({ type }) => type === 33)!.position;
  using folder = new BinlogFolder([two!]);
  folder.write(one!.name, one!.bytes.slice(0, boundary));
  await using store = await openMemoryStore();
  const error = await assertRejects(
    () => importAll(store, [folder.path]),
    ImportError,
  );
  assertEquals(error.fault, "other-history");
  assertStringIncludes(error.message, `${UUID}:24`);
  assertEquals(store.head!.position, boundary);
});

Deno.test("importFiles() names the file after whose rotate nothing can come", async () => {
  const [one, two] = fixturesOf("mysql97");
  const bytes = one!.bytes.slice();
  const rotate = bytes.subarray(one!.events.at(-1)!.position);
  rotate.fill(0, HEADER_BYTES + 8, -4);
  writeEventChecksum(rotate);
  using folder = new BinlogFolder([two!]);
  await using store = await openMemoryStore();
  await importAll(store, [folder.write(one!.name, bytes)]);
  await assertRefused(store, [`${folder.path}/${two!.name}`], {
    fault: "order",
    message: `${two!.name}: ${
      one!.name
    }, the newest file in the store, ends with a rotate that names no file`,
  });
});

Deno.test("importFiles() warns of a file that ends without a rotate", async () => {
  const [one, two] = fixturesOf("mysql97");
  using folder = new BinlogFolder([two!]);
  folder.write(one!.name, one!.bytes.slice(0, one!.events.at(-1)!.position));
  await using store = await openMemoryStore();
  const done = await importAll(store, [folder.path]);
  assertEquals(done.map(({ warning }) => warning !== undefined), [false, true]);
  assertStringIncludes(done[1]!.warning!, "without a rotate");
});
