import * as z from "zod";

/** `data` of what only does something: the original's empty text. */
export const NOTHING = z.literal("");
