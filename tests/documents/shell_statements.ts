import type { Block, Piece } from "./markdown_document.ts";

/**
 * Takes a block of shell apart into statements as a reader types them: each
 * with the lines it goes over, comments left out.
 *
 * @returns The statements with their lines in the document.
 * @throws {SyntaxError} Where bash could not read them.
 */
export async function shellStatements(block: Block): Promise<Piece[]> {
  const statements: Piece[] = [];
  let open: string[] = [];
  let begins = 0;
  let fault = "";
  for (const [index, line] of block.text.split("\n").entries()) {
    if (open.length === 0) {
      if (/^\s*(#|$)/.test(line)) continue;
      begins = block.line + index;
    }
    open.push(line);
    fault = line.endsWith("\\") ? "a line more" : await syntaxFault(open);
    if (fault !== "") continue;
    statements.push({ text: open.join("\n"), line: begins });
    open = [];
  }
  if (open.length === 0) return statements;
  throw new SyntaxError(`line ${begins}: bash wants ${fault}`);
}

/** What bash has against the lines; empty if they are whole. */
async function syntaxFault(lines: readonly string[]): Promise<string> {
  const { stderr } = await new Deno.Command("bash", {
    // an unfinished here-document is only a warning to it
    args: ["-n", "-c", lines.join("\n")],
    stdout: "null",
  }).output();
  return new TextDecoder().decode(stderr).trim();
}
