import type { ReportedStore } from "../../../../lib/admin/intent/log_report.ts";
import type { MetaStore } from "../../../../lib/admin/intent/meta_store.ts";

/** An empty log with its values in memory, kept as a database would. */
export class MemoryMetaStore implements MetaStore, ReportedStore {
  readonly head = undefined;
  readonly files: ReportedStore["files"] = [];
  readonly values = new Map<string, unknown>();
  failWith: Error | undefined;

  getMeta(name: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.values.get(name)));
  }

  setMeta(name: string, value: unknown): Promise<void> {
    if (this.failWith !== undefined) return Promise.reject(this.failWith);
    this.values.set(name, structuredClone(value));
    return Promise.resolve();
  }
}
