/** A file of the log: its name here and at the server it came from. */
export interface NamedFile {
  readonly name: string;
  readonly sourceName: string;
}

/** How files are named. */
export interface FileNamesOptions {
  /** The newest file of the log; undefined while there is none. */
  readonly last: NamedFile | undefined;
  /** Whether the next file comes from another server than that one. */
  readonly switched?: boolean;
  /** Whether the log has a file of that name. */
  readonly isTaken?: (name: string) => boolean;
}

/**
 * Names the files of the log. They have the names that the source gave them, as
 * long as there was only one source. After a change of source numbers go on: a
 * file keeps its name if its number is higher than that of the log's last file;
 * else it gets that number plus one.
 */
export class FileNames {
  #last: NamedFile | undefined;
  #switched: boolean;
  readonly #isTaken: (name: string) => boolean;

  /** @param options where the log ends */
  constructor(options: FileNamesOptions) {
    this.#last = options.last;
    this.#switched = options.switched ?? false;
    this.#isTaken = options.isTaken ?? (() => false);
  }

  /** Name of the current file at the source; empty while there is none. */
  get sourceName(): string {
    return this.#last?.sourceName ?? "";
  }

  /** The name of the source's file `sourceName` if it is the next one. */
  nameAfter(sourceName: string): string {
    const last = this.#last;
    const taken = this.#isTaken(sourceName);
    if (last === undefined) return sourceName;
    const renames = this.#switched || last.name !== last.sourceName;
    if (!renames && !taken) return sourceName;
    const { base, number } = split(sourceName);
    const lastNumber = split(last.name).number;
    if (number > lastNumber && !taken) return sourceName;
    for (let next = lastNumber + 1;; next++) {
      const name = `${base}.${String(next).padStart(6, "0")}`;
      if (!this.#isTaken(name)) return name;
    }
  }

  /** Makes the source's file the current one; answers its name in the log. */
  begin(sourceName: string): string {
    const name = this.nameAfter(sourceName);
    this.#last = { name, sourceName };
    this.#switched = false;
    return name;
  }
}

/** `binlog.000042` as "binlog" and 42; a name without a number has number 0. */
function split(name: string): { base: string; number: number } {
  const match = /^(.*)\.(\d{1,15})$/.exec(name);
  if (match === null) return { base: name, number: 0 };
  return { base: match[1]!, number: Number(match[2]) };
}
