/** What a process has used so far, as far as Linux tells. */
export interface ProcessUsage {
  /** Time on any core, in seconds. */
  readonly cpuSeconds: number;
  /** The most memory it ever had resident, in bytes. */
  readonly peakBytes: number;
}

/** Clock ticks of `/proc/<pid>/stat` in a second: `USER_HZ`, 100 on Linux. */
const TICKS_PER_SECOND = 100;

/** Looks at a process in /proc (proc_pid_stat(5), proc_pid_status(5)). */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The second field is the name in parentheses, and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const [, peak] = /^VmHWM:\s*(\d+) kB$/m.exec(status) ?? [];
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    peakBytes: Number(peak) * 1024,
  };
}
