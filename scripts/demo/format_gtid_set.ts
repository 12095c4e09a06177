/**
 * Writes a GTID set in so many characters: all of it if it fits, else with the
 * first eight digits of each UUID, else cut.
 *
 * @param set In MySQL's text form.
 * @param width Characters there are.
 */
export function formatGtidSet(set: string, width: number): string {
  if (set === "") return "nothing";
  if (set.length <= width) return set;
  const short = set.replaceAll(/([0-9a-f]{8})(-[0-9a-f]{4}){3}-\w{12}/g, "$1…");
  return short.length <= width ? short : `${short.slice(0, width - 1)}…`;
}
