import type { BlockSummary } from "../binlog_store.ts";
import type { FileRecord, HeadRecord } from "../block_engine.ts";
import type { RepairPlan } from "./verify_report.ts";
import { type FoundRecords, valueOf } from "./verify_source.ts";

/**
 * Gathers what a log would have to hold instead of what it has, while it is
 * verified.
 */
export class RepairDraft {
  /** The end of the log, if it has to be cut off. */
  #cut: { readonly head: HeadRecord | undefined } | undefined;
  readonly #files = new Map<number, FileRecord>();
  readonly #wrongFiles = new Set<number>();
  readonly #summaries = new Map<number, BlockSummary>();
  #headIsWrong = false;

  /** Whether the head's record can't stay as it is. */
  get headIsWrong(): boolean {
    return this.#headIsWrong;
  }

  /** The head's record can't stay as it is. */
  distrustHead(): void {
    this.#headIsWrong = true;
  }

  /** The record of that file can't stay as it is. */
  distrustFile(number: number): void {
    this.#wrongFiles.add(number);
  }

  /**
   * The log can be followed up to there only; the first such place counts.
   *
   * @param head the newest boundary before it; undefined if there is none
   */
  cutAt(head: HeadRecord | undefined): void {
    this.#cut ??= { head };
  }

  /** What the blocks say of a file; used only if its record can't stay. */
  setFile(record: FileRecord): void {
    this.#files.set(record.number, record);
  }

  /** What the summary of a block has to be. */
  setSummary(block: number, summary: BlockSummary): void {
    this.#summaries.set(block, summary);
  }

  /**
   * How to make the log right.
   *
   * @param records what it has
   * @param counted the newest boundary that the blocks have
   */
  plan(
    records: Pick<FoundRecords, "head" | "tail">,
    counted: HeadRecord | undefined,
  ): RepairPlan {
    const head = this.#endOfLog(valueOf(records.head), counted);
    const last = head?.fileNumber ?? 0;
    const files = [...this.#files.values()].filter(({ number }) =>
      number <= last && (this.#wrongFiles.has(number) || number === last)
    ).map((file) =>
      file.number === last && file.size !== head?.position
        ? openFile(file)
        : file
    );
    const summaries = [...this.#summaries].filter(([block]) =>
      block < (head?.block ?? 0)
    );
    return {
      head,
      movesHead: this.#headIsWrong || this.#cut !== undefined,
      tail: valueOf(records.tail),
      files,
      summaries: new Map(summaries),
    };
  }

  #endOfLog(
    found: HeadRecord | undefined,
    counted: HeadRecord | undefined,
  ): HeadRecord | undefined {
    if (this.#cut !== undefined) return this.#cut.head;
    return found === undefined || this.#headIsWrong ? counted : found;
  }
}

/** The record of a file that is to go on. */
export function openFile(record: FileRecord): FileRecord {
  return { ...record, closed: false, size: 0, lastTimestamp: 0 };
}
