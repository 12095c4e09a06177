/** A string, or one of the signs that matter between them. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * The first key that an object of a JSON text has twice; undefined if there is
 * none. `JSON.parse` takes the last of the two without a word, and a reader of
 * the request, or a proxy, may take the first.
 *
 * @param json valid JSON: what `JSON.parse` has taken.
 */
export function findDuplicateKey(json: string): string | undefined {
  /** Keys of the objects that are open; undefined stands for an array. */
  const open: (Set<string> | undefined)[] = [];
  /** True where the next text is a key. */
  let isKeyNext = false;
  for (const [token] of json.matchAll(TOKEN)) {
    switch (token[0]) {
      case "{":
        open.push(new Set());
        isKeyNext = true;
        break;
      case "[":
        open.push(undefined);
        isKeyNext = false;
        break;
      case "}":
      case "]":
        open.pop();
        isKeyNext = false;
        break;
      case ",":
        isKeyNext = open.at(-1) !== undefined;
        break;
      case ":":
        isKeyNext = false;
        break;
      default: {
        const keys = isKeyNext ? open.at(-1) : undefined;
        if (keys === undefined) break;
        const key = JSON.parse(token) as string;
        if (keys.has(key)) return key;
        keys.add(key);
      }
    }
  }
  return undefined;
}
