/**
 * How a token is sent, for whoever speaks HTTP by hand. The command line has
 * words of its own for it.
 */
export const BEARER_ADVICE = "send it as Authorization: Bearer TOKEN";
