/** A process of this machine, as `/proc` shows it. */
export interface ListedProcess {
  readonly pid: number;
  /** Process that started it, or took it over. */
  readonly parentPid: number;
  /** Its process group. */
  readonly groupId: number;
  /** The process group that its terminal listens to; -1 without a terminal. */
  readonly foregroundGroupId: number;
}

/**
 * Reads the text of `/proc/<pid>/stat` (see `man 5 proc_pid_stat`).
 *
 * @returns `undefined` if the text is something else.
 */
export function parseProcessStat(text: string): ListedProcess | undefined {
  // the name stands in parentheses and may hold any of them, and spaces
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(")") + 1).trim().split(/\s+/);
  const [parentPid, groupId, , , foregroundGroupId] = fields.slice(1)
    .map(Number);
  const numbers = [pid, parentPid, groupId, foregroundGroupId];
  if (!text.includes(")") || !numbers.every(Number.isInteger)) return undefined;
  return {
    pid,
    parentPid: parentPid!,
    groupId: groupId!,
    foregroundGroupId: foregroundGroupId!,
  };
}

/** Reads one process of `/proc`; `undefined` if it is gone. */
export async function readProcess(
  pid: number,
): Promise<ListedProcess | undefined> {
  try {
    return parseProcessStat(await Deno.readTextFile(`/proc/${pid}/stat`));
  } catch {
    return undefined; // it ended, or may not be looked at
  }
}

/** The processes that a process has started and that still run. */
export async function childPids(parentPid: number): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const process = await readProcess(Number(name));
    if (process?.parentPid === parentPid) pids.push(process.pid);
  }
  return pids;
}
