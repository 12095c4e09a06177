import { MadeStore } from "./made_store.ts";

/** What the program is asked to do, as JSON in its only argument. */
export interface FillingInput {
  /** Folder of the store. */
  readonly folder: string;
  /** So many bytes of log are to be in it at least. */
  readonly bytes: number;
  /** Size of its files in bytes. */
  readonly fileBytes: number;
}

/**
 * Fills a store, says so in a line, and goes on writing until it is killed.
 *
 * @module
 */
if (import.meta.main) {
  const input: FillingInput = JSON.parse(Deno.args[0]!);
  const made = await MadeStore.open(input.folder);
  const { store } = made;
  let left = input.bytes -
    store.files.reduce((sum, { size }) => sum + size, 0);
  while (left > 0) {
    await made.fillFile(input.fileBytes);
    left -= store.files.at(-1)!.size;
  }
  console.log("filled");
  for (;;) {
    made.startFile();
    for (let count = 0; count < 2_000; count++) {
      made.append(20, 300 + count % 7 * 3_000);
      await store.writer.ready();
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
}
