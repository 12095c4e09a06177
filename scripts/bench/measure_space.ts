import { MadeStore } from "./made_store.ts";

/** Into how many files what is kept is divided. */
const FILES_KEPT = 8;

/** What a log and its database were at one time, in bytes. */
export interface SpaceSample {
  /** Appended so far. */
  readonly appended: number;
  /** Files of the log. */
  readonly log: number;
  /** The database with its write-ahead log. */
  readonly database: number;
  /** Free inside of it. */
  readonly free: number;
}

/**
 * How large the database of a log gets that is purged again and again, and how
 * small when nearly all of it is purged at the end.
 *
 * @param folder for the store
 * @param keepBytes what is kept of the log
 * @param appendBytes what is appended in all
 */
export async function measureSpace(
  folder: string,
  keepBytes: number,
  appendBytes: number,
): Promise<SpaceSample[]> {
  await using made = await MadeStore.open(folder);
  const { store } = made;
  const samples: SpaceSample[] = [];
  const fileBytes = keepBytes / FILES_KEPT;
  let appended = 0;
  const logBytes = (): number =>
    store.files.reduce((sum, { size }) => sum + size, 0);
  const sample = async (): Promise<void> => {
    const { databaseBytes, freeInsideBytes } = await store.diskUse();
    samples.push({
      appended,
      log: logBytes(),
      database: databaseBytes,
      free: freeInsideBytes,
    });
  };
  while (appended < appendBytes) {
    await made.fillFile(fileBytes);
    appended += store.files.at(-1)!.size;
    let kept = logBytes();
    const gone = store.files.find(({ size }) => (kept -= size) < keepBytes);
    if (logBytes() > keepBytes && gone !== undefined) {
      await store.purge(gone.number + 1);
    }
    await sample();
  }
  await store.purge(Infinity);
  await made.settled();
  await sample();
  return samples;
}
