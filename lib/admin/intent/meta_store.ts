/** Small values kept beside the log; a `BinlogStore` is one. */
export interface MetaStore {
  getMeta(name: string): Promise<unknown>;
  setMeta(name: string, value: unknown): Promise<void>;
}
