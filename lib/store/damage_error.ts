import { StoreError } from "./binlog_store.ts";

/** What is damaged, and where. */
export interface Damage {
  /** The thing, as in `block 17`. */
  readonly what: string;
  /** What is wrong with it, as in `is missing`. */
  readonly how: string;
  /** What the store is called: the path of its database; absent in memory. */
  readonly store?: string | undefined;
  /** Name of the file it is part of; absent where that is not known. */
  readonly fileName?: string | undefined;
  /** Position in that file where the damage begins, as far as known. */
  readonly position?: number | undefined;
}

/**
 * Says that part of the log is damaged, and what to do.
 *
 * @param doing what can't be done for it, as in `Cannot read the log`
 */
export function damageError(doing: string, damage: Damage): StoreError {
  const { what, how, store, fileName, position } = damage;
  const of = store === undefined ? "" : ` of the store ${store}`;
  const where = fileName === undefined
    ? ""
    : position === undefined
    ? ` (in ${fileName})`
    : ` (${fileName} from position ${position} on)`;
  return new StoreError(
    "corrupt",
    `${doing}: ${what}${of} ${how}${where}; kingbus verify tells what else is damaged, kingbus verify --repair goes back to what is sound before it`,
  );
}
