/**
 * Writes the table of causes in docs/admin-api.md:
 * `deno run -A scripts/cause_docs.ts`. A test compares the two.
 *
 * @module
 */
import { CAUSE_TEXTS } from "../lib/syncer/cause_text.ts";
import { retryAfter, SYNCER_CAUSES } from "../lib/syncer/syncer_cause.ts";
import { formatTable } from "./markdown_table.ts";

/** The table of causes, as Markdown. */
function formatCauses(): string {
  return formatTable(
    [
      ["cause", "what happened", "next attempt", "what to do"],
      ...SYNCER_CAUSES.map((cause) => {
        const { happened, remedy } = CAUSE_TEXTS[cause];
        return [`\`${cause}\``, happened, retryAfter(cause), remedy];
      }),
    ],
  );
}

/** The page with its table of causes written anew. */
export function withCauses(page: string): string {
  return page.replace(/^\| cause .*\n(?:\|.*\n)+/m, () => formatCauses());
}

if (import.meta.main) {
  const url = new URL("../docs/admin-api.md", import.meta.url);
  await Deno.writeTextFile(url, withCauses(await Deno.readTextFile(url)));
}
