/** What the numbers were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Installed memory in bytes. */
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly deno: string;
  /** How busy it was in the minute before the first measurement. */
  readonly loadBefore: number;
}

/** Describes this machine. */
export async function describeMachine(): Promise<Machine> {
  return {
    cpu: await cpuModel(),
    cores: navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
    kernel: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    deno: Deno.version.deno,
    loadBefore: Deno.loadavg()[0] ?? 0,
  };
}

async function cpuModel(): Promise<string> {
  try {
    const info = await Deno.readTextFile("/proc/cpuinfo");
    return /^model name\s*:\s*(.+)$/m.exec(info)?.[1] ?? "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}
