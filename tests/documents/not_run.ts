/** A part of a document that its test does not run. */
export interface NotRun {
  readonly document: string;
  /** The statement, or a block of another language than shell, begins so. */
  readonly begins: string;
  /** Only those under this heading. */
  readonly heading?: string;
  /** Why it can't be run here. */
  readonly because: string;
}

/**
 * All that is in the documents and not run by their tests. Each is still read:
 * a statement by bash and, if it is kingbus's, by its command line; each
 * prints a line when the tests are run. One that is no longer there, or could
 * be run by now, has to go from here: the tests fail otherwise.
 */
export const NOT_RUN: readonly NotRun[] = [
  {
    document: "docs/operations.md",
    begins: "./scripts/install.sh --binary dist/kingbus",
    because:
      "needs the executable; tests/integration/scripts/systemd_test.ts runs it under a real systemd",
  },
  {
    document: "docs/opentelemetry.md",
    begins: "OTEL_DENO=true deno task compile",
    because:
      "downloads denort, Deno's runtime; tests/e2e makes the executable where it can",
  },
  {
    document: "README.md",
    begins: "deno task compile",
    because:
      "downloads denort, Deno's runtime; tests/e2e makes the executable where it can",
  },
  {
    document: "README.md",
    begins: "sudo scripts/install.sh",
    because: "needs the executable; its own tests install a made one",
  },
  {
    document: "README.md",
    begins: "sudo systemctl enable --now kingbus",
    because: "needs systemd as the machine's first process",
  },
  {
    document: "README.md",
    begins: "deno task ",
    heading: "Develop",
    because: "would run the tests in a test; every change is checked with it",
  },
];
