import { createHash } from "node:crypto";
import { basename } from "node:path";

/**
 * Writes the SHA-256 sums of files, as `sha256sum --check` reads them in the
 * folder they are in.
 *
 * @param path Where the sums go.
 * @param files The files, all in the folder of `path`.
 */
export async function writeSums(
  path: string,
  files: readonly string[],
): Promise<void> {
  let text = "";
  for (const file of files) {
    text += `${await sumOf(file)}  ${basename(file)}\n`;
  }
  await Deno.writeTextFile(path, text);
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
