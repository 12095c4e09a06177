/** A part of a document that its test does not run. */
export interface NotRun {
  readonly document: string;
  /** The statement, or a block of another language than shell, begins so. */
  readonly begins: string;
  /** Only those under this heading. */
  readonly heading?: string;
  /** It is run where this environment variable is set. */
  readonly unless?: string;
  /** Why it can't be run here. */
  readonly because: string;
}

const NO_RUNTIME =
  "Deno would download denort; DENORT_BIN (and DENO, its Deno) can name one";

/**
 * All that is in the documents and not run by their tests. Each is still read:
 * a statement by bash and, if it is kingbus's, by its command line; each
 * prints a line when the tests are run. One that is no longer there, or could
 * be run by now, has to go from here: the tests fail otherwise.
 */
export const NOT_RUN: readonly NotRun[] = [
  {
    document: "docs/operations.md",
    begins: "~/kingbus/scripts/install.sh --binary ~/kingbus/dist/kingbus",
    because:
      "needs the executable; tests/integration/scripts/systemd_test.ts runs it under a real systemd",
  },
  {
    document: "README.md",
    begins: "deno task compile",
    unless: "DENORT_BIN",
    because: NO_RUNTIME,
  },
  {
    document: "docs/opentelemetry.md",
    begins: "deno task compile",
    unless: "DENORT_BIN",
    because: NO_RUNTIME,
  },
  {
    document: "docs/binary.md",
    begins: "deno task compile --target",
    because: "needs denort of other systems",
  },
  {
    document: "docs/binary.md",
    begins: "deno task compile",
    unless: "DENORT_BIN",
    because: NO_RUNTIME,
  },
  {
    document: "docs/binary.md",
    begins: "(cd dist",
    unless: "DENORT_BIN",
    because: "needs the executable",
  },
  {
    document: "docs/binary.md",
    begins: "dist/kingbus version",
    unless: "DENORT_BIN",
    because: "needs the executable",
  },
  {
    document: "docs/binary.md",
    begins: "Cannot open the store /srv/kb/kingbus.db",
    because: "needs an executable of Deno 2.9; tests/e2e looks for this error",
  },
  {
    document: "README.md",
    begins: "sudo scripts/install.sh",
    unless: "DENORT_BIN",
    because: "needs the executable",
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
