import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreError } from "../../lib/store/binlog_store.ts";
import { KvVerifySource } from "../../lib/store/kv/kv_verify_source.ts";
import {
  filePlace,
  HEAD_PLACE,
  openRecord,
  sealRecord,
} from "../../lib/store/kv/kv_record.ts";
import { openKvSnapshot } from "../../lib/store/kv/open_kv_snapshot.ts";
import { openKvStore } from "../../lib/store/kv/open_kv_store.ts";
import {
  repairKvStore,
  type RepairResult,
} from "../../lib/store/kv/repair_kv_store.ts";
import {
  blockPlace,
  openSealed,
  sealBytes,
  summaryPlace,
} from "../../lib/store/sealed_bytes.ts";
import { decodeSummary, encodeSummary } from "../../lib/store/summary_codec.ts";
import { verifyLog } from "../../lib/store/verify/verify_log.ts";
import type { VerifySource } from "../../lib/store/verify/verify_source.ts";
import type {
  LogFault,
  VerifyReport,
} from "../../lib/store/verify/verify_report.ts";
import {
  makeSmallStore,
  showLog,
  type ShownLog,
  SMALL_STORE_META,
} from "../support/small_store.ts";

/** A store to damage, and what it shows while it is sound. */
class Patient implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "kingbus-verify-" });
  shown!: ShownLog;
  /** What it shows after a repair. */
  repaired!: ShownLog;

  static async make(): Promise<Patient> {
    const patient = new Patient();
    patient.shown = await makeSmallStore(patient.#original, {
      purgedIntervals: 300,
      transactions: [[40], [30_000, 40_000], [150_000], [20, 20]],
    });
    return patient;
  }

  get #original(): string {
    return `${this.folder}/original.db`;
  }

  get path(): string {
    return `${this.folder}/copy.db`;
  }

  /** A fresh copy, damaged. */
  async damage(change: (kv: Deno.Kv) => Promise<unknown>): Promise<void> {
    for (const suffix of ["-wal", "-shm"]) {
      await Deno.remove(`${this.path}${suffix}`).catch(() => {});
    }
    await Deno.copyFile(this.#original, this.path);
    const kv = await Deno.openKv(this.path);
    await change(kv);
    kv.close();
  }

  async verify(): Promise<VerifyReport> {
    await using source = await KvVerifySource.open(this.path);
    return await verifyLog(source);
  }

  /** Repairs, and makes sure that what is left is the begin of what was. */
  async repair(): Promise<RepairResult> {
    const result = await repairKvStore(this.path);
    assert(result !== undefined);
    assertEquals((await this.verify()).faults, []);
    assertEquals(await repairKvStore(this.path), undefined);
    await using store = await openKvStore({ path: this.path });
    const shown = await showLog(store);
    for (const [index, { bytes }] of shown.files.entries()) {
      const before = this.shown.files[index]!.bytes;
      assertEquals(bytes, before.subarray(0, bytes.length));
      if (index < shown.files.length - 1) {
        assertEquals(bytes.length, before.length);
      }
    }
    this.repaired = shown;
    // And the log can go on.
    store.writer.startFile({ name: "goes on", serverUuid: "" });
    await store.writer.flush();
    return result;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.folder, { recursive: true });
  }
}

/** Every whole block, with the name of its file and where it begins. */
async function blocksOf(
  patient: Patient,
): Promise<{ number: number; file: string; position: number }[]> {
  await patient.damage(() => Promise.resolve());
  const kv = await Deno.openKv(patient.path);
  const blocks = [];
  for await (const { key, value } of kv.list({ prefix: ["summary"] })) {
    const number = Number(key[1]);
    const summary = decodeSummary(openSealed(summaryPlace(number), value)!);
    blocks.push({
      number,
      file: `binlog.00000${summary.fileNumber}`,
      position: summary.startPosition,
    });
  }
  kv.close();
  return blocks;
}

async function swap(
  kv: Deno.Kv,
  one: Deno.KvKey,
  other: Deno.KvKey,
): Promise<void> {
  const [a, b] = await Promise.all([kv.get(one), kv.get(other)]);
  await kv.set(one, b.value);
  await kv.set(other, a.value);
}

async function flip(kv: Deno.Kv, key: Deno.KvKey, at = 7): Promise<void> {
  const { value } = await kv.get<Uint8Array>(key);
  value![at]! ^= 0x20;
  await kv.set(key, value);
}

function saysOf(faults: readonly LogFault[], text: string): LogFault {
  const fault = faults.find(({ message }) => message.includes(text));
  assert(
    fault !== undefined,
    `nothing of ${text} in ${JSON.stringify(faults)}`,
  );
  return fault;
}

Deno.test("verifyLog() finds nothing wrong with a sound store", async () => {
  await using patient = await Patient.make();
  await patient.damage(() => Promise.resolve());
  const report = await patient.verify();
  assertEquals(report.faults, []);
  assertEquals(report.files, 3);
  const sizes = patient.shown.files.map(({ bytes }) => bytes.length);
  assertEquals(report.bytes, sizes.reduce((sum, size) => sum + size));
  assertEquals(report.transactions, 3 * 4 + 3);
  assertEquals(await repairKvStore(patient.path), undefined);
});

Deno.test("verifyLog() works beside the process that writes", async () => {
  await using patient = await Patient.make();
  await patient.damage(() => Promise.resolve());
  await using _store = await openKvStore({ path: patient.path });
  assertEquals((await patient.verify()).faults, []);
  const error = await assertRejects(
    () => repairKvStore(patient.path),
    StoreError,
  );
  assertEquals(error.kind, "locked");
});

Deno.test("every block that is missing, damaged or swapped is found and repaired", async () => {
  await using patient = await Patient.make();
  const blocks = await blocksOf(patient);
  assert(blocks.length > 12);
  for (const [index, { number, file, position }] of blocks.entries()) {
    const other = blocks[(index + 3) % blocks.length]!.number;
    const key = ["block", BigInt(number)];
    const damages: [string, (kv: Deno.Kv) => Promise<unknown>][] = [
      ["is missing", (kv) => kv.delete(key)],
      ["is damaged", (kv) => flip(kv, key)],
      ["is damaged", (kv) => swap(kv, key, ["block", BigInt(other)])],
    ];
    for (const [how, damage] of damages) {
      await patient.damage(damage);
      const { faults } = await patient.verify();
      const fault = saysOf(faults, `Block ${number} ${how}`);
      assertEquals([fault.file, fault.position], [file, position]);
      if (how === "is missing") {
        const { removed, removedBytes, removedGtids } = await patient.repair();
        assert(removed.length > 0);
        assert(removedBytes > 0);
        assert(!removedGtids.isEmpty);
      }
    }
  }
});

Deno.test("a read of a damaged block fails with file and position", async () => {
  await using patient = await Patient.make();
  for (const { number, file, position } of await blocksOf(patient)) {
    await patient.damage((kv) => flip(kv, ["block", BigInt(number)]));
    await using log = await openKvSnapshot({ path: patient.path });
    const error = await assertRejects(() => showLog(log), StoreError);
    assertEquals(error.kind, "corrupt");
    const { message } = error;
    assert(message.includes(patient.path), message);
    assert(message.includes(`${file} from position ${position} on`), message);
  }
});

Deno.test("summaries that are damaged, missing or wrong are written anew", async () => {
  await using patient = await Patient.make();
  const blocks = await blocksOf(patient);
  for (const [index, { number, file }] of blocks.entries()) {
    const key = ["summary", BigInt(number)];
    const wrong = async (kv: Deno.Kv) => {
      const { value } = await kv.get(key);
      const bytes = openSealed(summaryPlace(number), value)!;
      const summary = decodeSummary(bytes);
      const changed = [
        { ...summary, firstTimestamp: 1 },
        { ...summary, endPosition: summary.endPosition + 1 },
        { ...summary, endsInside: !summary.endsInside },
        { ...summary, fileNumber: 9 },
        { ...summary, checksum: 1 },
      ][index % 5]!;
      const sealed = sealBytes(summaryPlace(number), encodeSummary(changed));
      await kv.set(key, sealed);
    };
    const damages: ((kv: Deno.Kv) => Promise<unknown>)[] = [
      (kv) => kv.delete(key),
      (kv) => flip(kv, key),
      wrong,
    ];
    await patient.damage(damages[index % 3]!);
    const { faults } = await patient.verify();
    const fault = saysOf(faults, `summary of block ${number}`);
    assertEquals(fault.file, file);
    const { removed, rebuilt } = await patient.repair();
    assertEquals(removed, []);
    assert(rebuilt > 0);
  }
});

Deno.test("records that are damaged, missing or wrong are written anew", async () => {
  await using patient = await Patient.make();
  const changed = (key: Deno.KvKey, place: string, change: unknown) =>
  async (
    kv: Deno.Kv,
  ) => {
    const { value } = await kv.get(key);
    const { record } = openRecord(place, value)!;
    const made = Object.assign({}, record, change);
    await kv.set(key, sealRecord(place, made));
  };
  const damages: [string, (kv: Deno.Kv) => Promise<unknown>][] = [
    ["The head's record", (kv) => kv.delete(["head"])],
    ["The head's record", (kv) => flip(kv, ["head"])],
    [
      "The head's record",
      (kv) =>
        flip(kv, ["bytes", "executed", 5n, 0n]).catch(() => flip(kv, ["head"])),
    ],
    [
      "has lastGtid",
      changed(["head"], HEAD_PLACE, { lastGtid: "x" }),
    ],
    ["format's record", (kv) => kv.set(["format"], { product: "kingbus" })],
    ["format's record", (kv) => kv.delete(["format"])],
    [SMALL_STORE_META, (kv) => flip(kv, ["meta", SMALL_STORE_META])],
    [SMALL_STORE_META, (kv) => kv.delete(["meta", SMALL_STORE_META])],
    ["beside the log", (kv) => kv.delete(["names"])],
  ];
  for (const file of [1, 2, 3]) {
    const key = ["file", BigInt(file)];
    const place = filePlace(file);
    damages.push(
      [`record of file ${file}`, (kv) => kv.delete(key)],
      [`record of file ${file}`, (kv) => flip(kv, key)],
      [`record of file ${file}`, changed(key, place, { firstTimestamp: 7 })],
      [
        `record of file ${file}`,
        changed(key, place, {
          formatDescription: new Uint8Array(3),
        }),
      ],
    );
    damages.push([
      `record of file ${file}`,
      changed(key, place, { firstBlock: 3 }),
    ]);
    if (file < 3) {
      damages.push(
        [`record of file ${file}`, changed(key, place, { size: 77 })],
        [`record of file ${file}`, changed(key, place, { closed: false })],
      );
    }
  }
  for (const [text, damage] of damages) {
    await patient.damage(damage);
    saysOf((await patient.verify()).faults, text);
    const { after, removed } = await patient.repair();
    assertEquals([text, removed, after.files], [text, [], 3]);
    const { head, files } = patient.repaired;
    assertEquals(head, patient.shown.head);
    assertEquals(
      files.map(({ about }) => about),
      patient.shown.files.map(({ about }) => about),
    );
  }
});

Deno.test("verifyLog() tells damage whose seals are right", async () => {
  await using patient = await Patient.make();
  const blocks = await blocksOf(patient);
  // The block behind the begin of the second file: events, changed and sealed.
  const { number, file, position } = blocks.find((one) =>
    one.file === "binlog.000002" && one.position === 4
  )!;
  await patient.damage(async (kv) => {
    const key = ["block", BigInt(number)];
    const { value } = await kv.get(key);
    const bytes = openSealed(blockPlace(number), value)!.slice();
    // `log_pos` of the first event.
    bytes[5 + 13]! ^= 1;
    await kv.set(key, sealBytes(blockPlace(number), bytes));
  });
  const { faults } = await patient.verify();
  const fault = saysOf(faults, "says that it ends at");
  assertEquals([fault.file, fault.position], [file, position]);
  const { end } = await patient.repair();
  assertEquals(end?.file, "binlog.000001");
});

Deno.test("opening refuses a store whose last blocks are not sound, and changes nothing", async () => {
  await using patient = await Patient.make();
  const blocks = await blocksOf(patient);
  for (const { number, file, position } of blocks.slice(-10)) {
    for (const kind of ["block", "summary"]) {
      const key = [kind, BigInt(number)];
      for (const damage of [flip, (kv: Deno.Kv) => kv.delete(key)]) {
        await patient.damage((kv) => damage(kv, key));
        const error = await assertRejects(
          () => openKvStore({ path: patient.path }),
          StoreError,
        );
        assertEquals(error.kind, "corrupt");
        const { message } = error;
        assert(message.includes(`block ${number}`), message);
        assert(message.includes(`${file} from position ${position}`), message);
        assert(message.includes("kingbus verify --repair"), message);
        saysOf((await patient.verify()).faults, `lock ${number} `);
      }
    }
  }
});

Deno.test("opening refuses a head that is not where the blocks end", async () => {
  await using patient = await Patient.make();
  const changes = [
    { position: 5_000 },
    { offset: 60 },
    { blockStartPosition: 5_000 },
    { block: 9 },
    { blockFirstEventPosition: 5_000 },
    { fileNumber: 2 },
  ];
  for (const change of changes) {
    await patient.damage(async (kv) => {
      const { value } = await kv.get(["head"]);
      const { record } = openRecord(HEAD_PLACE, value)!;
      const changed = { ...record as Record<string, unknown>, ...change };
      await kv.set(["head"], sealRecord(HEAD_PLACE, changed));
    });
    const error = await assertRejects(
      () => openKvStore({ path: patient.path }),
      StoreError,
    );
    assertEquals([change, error.kind], [change, "corrupt"]);
    assert((await patient.verify()).faultCount > 0);
    await patient.repair();
    if (!("fileNumber" in change)) {
      assertEquals(patient.repaired.head, patient.shown.head);
    }
  }
});

Deno.test("a repair keeps what a record says and no event does", async () => {
  await using patient = await Patient.make();
  const last = (await blocksOf(patient)).at(-1)!;
  await patient.damage(async (kv) => {
    const key = ["file", 3n];
    const { value } = await kv.get(key);
    const { record } = openRecord(filePlace(3), value)!;
    const spliced = {
      ...Object(record),
      sourceName: "b.000007",
      spliced: true,
    };
    await kv.set(key, sealRecord(filePlace(3), spliced));
    await flip(kv, ["block", BigInt(last.number)]);
  });
  assertEquals((await patient.verify()).faultCount, 1);
  assert(await repairKvStore(patient.path) !== undefined);
  await using store = await openKvStore({ path: patient.path });
  const file = store.files[2]!;
  assertEquals([file.sourceName, file.spliced], ["b.000007", true]);
});

Deno.test("verifyLog() takes what is purged meanwhile for no fault", async () => {
  await using patient = await Patient.make();
  await patient.damage(() => Promise.resolve());
  for (const reads of [1, 2]) {
    await using store = await openKvStore({ path: patient.path });
    await using source = await KvVerifySource.open(patient.path);
    let left = reads;
    const purging: VerifySource = {
      records: () => source.records(),
      readSummaries: (first, count) => source.readSummaries(first, count),
      oldestFile: () => source.oldestFile(),
      readBlocks: async (first, count) => {
        if (--left === 0) {
          await store.purge(reads + 1);
          while (!(await store.diskUse()).settled) {
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        }
        return await source.readBlocks(first, count);
      },
    };
    const { faults, files } = await verifyLog(purging);
    assertEquals(faults, []);
    assert(left <= 0 && files < 4 - reads + 1, `${files} files`);
    assertEquals((await patient.verify()).faults, []);
  }
});
