/** A part of a document that its test does not run. */
export interface NotRun {
  readonly document: string;
  /** The block's or statement's first line begins so. */
  readonly begins: string;
  /** Why it can't be run here. */
  readonly because: string;
}

/**
 * All that is in the documents and not run by their tests. Each is still read:
 * a statement by bash and, if it is kingbus's, by its command line; each
 * prints a line when the tests are run. One that is no longer there, or could
 * be run by now, has to go from here: the tests fail otherwise.
 */
export const NOT_RUN: readonly NotRun[] = [];
