import { assert, assertEquals, assertRejects } from "@std/assert";
import { StoreError } from "../../../lib/store/binlog_store.ts";
import { BlockLog } from "../../../lib/store/block_log.ts";
import type { CommitFacts } from "../../../lib/store/commit_observer.ts";
import { GatedEngine } from "../../support/gated_engine.ts";
import { LogFeeder } from "../../support/log_feeder.ts";
import { MadeLog } from "../../support/made_log.ts";
import { SeededRandom } from "../../support/seeded_random.ts";

/** A log whose commits are noted. */
class ObservedLog implements AsyncDisposable {
  readonly commits: CommitFacts[] = [];
  readonly made = new MadeLog();
  readonly feeder: LogFeeder;

  private constructor(
    readonly engine: GatedEngine,
    readonly store: BlockLog,
    commits: CommitFacts[],
    random?: SeededRandom,
  ) {
    this.commits = commits;
    this.feeder = new LogFeeder(store.writer, random);
  }

  static async open(
    engine: GatedEngine = new GatedEngine(),
    random?: SeededRandom,
  ): Promise<ObservedLog> {
    const commits: CommitFacts[] = [];
    const store = await BlockLog.open(engine, {
      onCommit: (commit) => commits.push(commit),
    });
    return new ObservedLog(engine, store, commits, random);
  }

  /** Begins a file; its format description and previous GTIDs are two events. */
  beginFile(name: string): void {
    this.feeder.startFile(name);
    this.feeder.push(this.made.beginFile());
  }

  /** What all commits together brought. */
  get total(): Omit<CommitFacts, "seconds"> {
    const sum = (key: "bytes" | "events" | "transactions") =>
      this.commits.reduce((total, commit) => total + commit[key], 0);
    return {
      bytes: sum("bytes"),
      events: sum("events"),
      transactions: sum("transactions"),
    };
  }

  /** Bytes of the files without the magic number that each begins with. */
  get bytes(): number {
    return this.store.files.reduce((bytes, { size }) => bytes + size - 4, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.commits.open();
    await this.store.close();
  }
}

Deno.test("BlockLog tells of what each commit made durable, to the byte", async () => {
  await using log = await ObservedLog.open(
    new GatedEngine(),
    new SeededRandom(11),
  );
  let events = 0;
  let transactions = 0;
  for (const name of ["binlog.000001", "binlog.000002", "binlog.000003"]) {
    log.beginFile(name);
    events += 2;
    // Some larger than a block, some than a commit; some without GTIDs.
    for (
      const rows of [[100], [40_000, 40_000], [90_000], Array(40).fill(40_000)]
    ) {
      for (const anonymous of [false, true]) {
        const made = log.made.transaction({ rows, anonymous });
        log.feeder.push(made);
        events += made.length;
        transactions += 1;
      }
    }
    await log.store.writer.flush();
    assertEquals(log.total, { bytes: log.bytes, events, transactions });
  }
  assert(log.commits.length >= 3);
  assert(log.commits.every(({ seconds }) => seconds >= 0));
});

Deno.test("BlockLog counts what is rolled back once, when it comes again", async () => {
  await using log = await ObservedLog.open();
  log.beginFile("binlog.000001");
  log.feeder.push(log.made.transaction());
  await log.store.writer.flush();
  const before = log.total;
  const { executed } = log.store.head!;
  for (let attempt = 0; attempt < 3; attempt++) {
    // So much of it that blocks are written ahead of the head.
    const made = log.made.transaction({ rows: Array(40).fill(40_000) });
    log.feeder.push(made.slice(0, -1));
    await log.store.writer.flush();
    await log.store.writer.rollback();
    assertEquals(log.total, before);
    log.feeder.reset();
    log.made.goBackTo(log.store.head!.position, executed);
  }
  const made = log.made.transaction();
  log.feeder.push(made);
  await log.store.writer.flush();
  assertEquals(log.total, {
    bytes: log.bytes,
    events: before.events + made.length,
    transactions: before.transactions + 1,
  });
});

Deno.test("BlockLog counts what was appended meanwhile with the next commit", async () => {
  await using log = await ObservedLog.open();
  log.engine.commits.shut();
  log.beginFile("binlog.000001");
  const first = log.made.transaction();
  log.feeder.push(first);
  log.feeder.push(log.made.transaction());
  assertEquals(log.commits, []);
  log.engine.commits.open();
  await log.store.writer.flush();
  assertEquals(log.total.transactions, 2);
  assertEquals(log.total.bytes, log.bytes);
});

Deno.test("BlockLog counts only what comes after it was opened, or has recovered", async () => {
  const engine = new GatedEngine();
  await using log = await ObservedLog.open(engine);
  log.beginFile("binlog.000001");
  log.feeder.push(log.made.transaction());
  await log.store.writer.flush();
  const before = log.total;
  engine.fault = new TypeError("disk full");
  log.feeder.push(log.made.transaction());
  await assertRejects(() => log.store.writer.flush(), StoreError);
  assertEquals(log.total, before);
  await log.store.recover();
  log.feeder.reset();
  log.made.goBackTo(log.store.head!.position, log.store.head!.executed);
  const made = log.made.transaction();
  log.feeder.push(made);
  await log.store.writer.flush();
  assertEquals(log.total, {
    bytes: log.bytes,
    events: before.events + made.length,
    transactions: before.transactions + 1,
  });
});
