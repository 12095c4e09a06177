/**
 * The words of the commands in a statement of shell, without quotes and
 * redirections; enough to know programs, flags and arguments.
 */
export function shellWords(statement: string): string[][] {
  const commands: string[][] = [[]];
  const text = statement.replace(/(^|\s)#\s.*$/gm, "").replace(/\\\n/g, " ");
  const pattern =
    /\d?[<>]+&?\s*[^\s|;&]*|(?:[^\s'"|&;<>()]|'[^']*'|"(?:[^"\\]|\\.)*")+|\|\||&&|[|;&()\n]/g;
  for (const [token] of text.matchAll(pattern)) {
    if (/^(\|\||&&|[|;&()\n])$/.test(token)) commands.push([]);
    else if (!/^\d?[<>]/.test(token)) commands.at(-1)!.push(unquoted(token));
  }
  return commands.filter((words) => words.length > 0);
}

function unquoted(word: string): string {
  return word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"/g, "$1$2");
}
