/**
 * One event of a `text/event-stream`, its data as one line of JSON.
 *
 * @param data anything JSON has, or the JSON itself made already
 */
export function eventText(
  id: number,
  name: string,
  data: { readonly json: string } | { readonly value: unknown },
): string {
  const json = "json" in data ? data.json : JSON.stringify(data.value);
  return `id: ${id}\nevent: ${name}\ndata: ${json}\n\n`;
}

/** What a stream says when there is nothing to say: readers pass over it. */
export const KEEP_ALIVE_TEXT = ":\n\n";
