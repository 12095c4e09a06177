import type { FaultList } from "./fault_list.ts";
import type { RepairDraft } from "./repair_draft.ts";
import { type FoundRecords, valueOf } from "./verify_source.ts";

/**
 * Checks what can be seen of a log's records without its blocks: that they are
 * sound, and that the files' go on without a hole up to the head's.
 *
 * @param faults gets what is wrong
 * @param draft is told which records can't stay
 */
export function checkRecords(
  { head, files, damagedMeta, faults: found }: FoundRecords,
  faults: FaultList,
  draft: RepairDraft,
): void {
  const headFile = valueOf(head)?.fileNumber;
  for (const message of found) faults.note(message);
  if (head !== undefined && "fault" in head) {
    draft.distrustHead();
    faults.note(`The head's record ${head.fault}`);
  }
  const names = new Map<string, number>();
  let previous: number | undefined;
  for (const [number, record] of files) {
    if (headFile !== undefined && number > headFile) break;
    if (previous !== undefined && number !== previous + 1) {
      draft.distrustFile(previous + 1);
      faults.note(`The record of file ${previous + 1} is missing`);
    }
    previous = number;
    if ("fault" in record) {
      draft.distrustFile(number);
      faults.note(`The record of file ${number} ${record.fault}`);
      continue;
    }
    const { name } = record.value;
    const other = names.get(name);
    if (other !== undefined) {
      faults.note(`Files ${other} and ${number} are both named ${name}`);
    }
    names.set(name, number);
  }
  if (headFile !== undefined && previous !== headFile) {
    draft.distrustFile(headFile);
    faults.note(
      `The record of file ${headFile}, which the head is in, is missing`,
    );
  }
  for (const name of damagedMeta) {
    faults.note(`The value ${name} beside the log is damaged`);
  }
}
