import * as z from "zod";

/** A time in an answer: RFC 3339, in UTC. */
export function timeText(about: string): z.ZodISODateTime {
  return z.iso.datetime().describe(about);
}

/** A count or a size in an answer: a whole number, not below 0. */
export function countNumber(about: string): z.ZodInt {
  return z.int().min(0).describe(about);
}

/** A list in an answer. */
export function listOf<Member extends z.ZodType>(
  member: Member,
  about: string,
): z.ZodReadonly<z.ZodArray<Member>> {
  return z.array(member).readonly().describe(about);
}
