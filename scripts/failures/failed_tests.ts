/** A test that failed, as `deno test` tells of it. */
export interface FailedTest {
  /** Its name and place: `name ... step => ./tests/a_test.ts:1:6`. */
  title: string;
  /** What it failed with: message, line of the source, stack. */
  lines: string[];
}

const BEGIN = "\n ERRORS \n\n";
const LIST = "\n FAILURES \n\n";

/**
 * Reads from the output of one `deno test` why tests failed, in its order:
 * tests, steps, and files that could not be loaded or had an uncaught error,
 * which its report in JUnit's format does not have. Empty when none failed, or
 * the run was ended before it said so.
 */
export function failedTests(output: string): FailedTest[] {
  const text = `\n${withoutColour(output)}`;
  // A title alone does not tell where an error begins, for a message may have
  // any lines. The list behind the errors says which titles there are.
  const list = text.lastIndexOf(LIST);
  if (list < 0) return [];
  const titles = text.slice(list + LIST.length).split("\n\n", 1)[0]!.split(
    "\n",
  );
  const first = text.indexOf(`${BEGIN}${titles[0]}\n`);
  if (first < 0) return [];
  const errors = text.slice(first + BEGIN.length - 1, list);
  const failed: FailedTest[] = [];
  let end = errors.length;
  for (const title of titles.toReversed()) {
    const head = `\n${title}\nerror: `;
    const start = errors.lastIndexOf(head, end - 1);
    if (start < 0) continue;
    const message = errors.slice(start + head.length, end).trimEnd();
    failed.unshift({ title, lines: message.split("\n") });
    end = start;
  }
  return failed;
}

/** A log's text without the codes that colour it for a terminal. */
function withoutColour(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/\x1b\[[0-9;]*m/g, "").replaceAll("\r\n", "\n");
}
