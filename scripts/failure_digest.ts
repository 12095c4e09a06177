/**
 * Says in few lines why commands failed, from files with all they wrote:
 *
 * ```text
 * failure_digest.ts LINES FILE...
 * ```
 *
 * `LINES` is how many there may be in all, beside the names of the files.
 *
 * @module
 */
import { failureDigest } from "./failures/failure_digest.ts";

/** Of one failure. */
const FAILURE_LINES = 30;
const FAILURE_CHARACTERS = 2_000;

if (import.meta.main) {
  const [limit, ...files] = Deno.args;
  const lines = Number(limit);
  if (!Number.isSafeInteger(lines) || lines < 1 || files.length === 0) {
    console.error("usage: failure_digest.ts LINES FILE...");
    Deno.exit(2);
  }
  let room = lines;
  for (const [index, file] of files.entries()) {
    console.log(`-- ${file.split("/").at(-1)}`);
    const digest = failureDigest(await Deno.readTextFile(file), {
      lines: Math.floor(room / (files.length - index)),
      failureLines: FAILURE_LINES,
      failureCharacters: FAILURE_CHARACTERS,
    });
    room -= digest.length;
    console.log(digest.join("\n"));
  }
}
