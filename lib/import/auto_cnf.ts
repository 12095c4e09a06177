import { parseUuid } from "../gtid/uuid.ts";

/**
 * The UUID of the server whose data folder this is, from the file `auto.cnf`
 * that MySQL keeps there; undefined when there is none, as in a folder that
 * `mysqlbinlog --raw` wrote.
 *
 * @throws {SyntaxError} when the file names a UUID that is none
 */
export async function readServerUuid(
  folder: string,
): Promise<string | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${folder}/auto.cnf`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const uuid = /^\s*server[-_]uuid\s*=\s*(\S+)/m.exec(text)?.[1];
  if (uuid === undefined) return undefined;
  parseUuid(uuid);
  return uuid.toLowerCase();
}
