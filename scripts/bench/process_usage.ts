/** What a process has used so far, as far as Linux tells. */
export interface ProcessUsage {
  /** Time on any core, in seconds. */
  readonly cpuSeconds: number;
  /** Memory it has resident now, in bytes. */
  readonly residentBytes: number;
  /** The most it had since its start or {@linkcode resetPeak}, in bytes. */
  readonly peakBytes: number;
  /** What it has had written to a disk since its start, in bytes. */
  readonly writtenBytes: number;
}

/** Clock ticks of `/proc/<pid>/stat` in a second: `USER_HZ`, 100 on Linux. */
const TICKS_PER_SECOND = 100;

/** What resets `VmHWM` (proc_pid_clear_refs(5)). */
const CLEAR_PEAK = "5";

/** Looks at a process in /proc (proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5)). */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The second field is the name in parentheses, and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const bytesOf = (name: string): number => {
    const [, kibibytes] =
      new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status) ?? [];
    return Number(kibibytes) * 1024;
  };
  const io = await Deno.readTextFile(`/proc/${pid}/io`);
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    residentBytes: bytesOf("VmRSS"),
    peakBytes: bytesOf("VmHWM"),
    writtenBytes: Number(/^write_bytes: (\d+)$/m.exec(io)?.[1]),
  };
}

/** Has the peak of a process's memory counted anew from now on. */
export async function resetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, CLEAR_PEAK);
}
