/** The exit codes of every command; `docs/cli.md` has them from here. */
export const ExitCode = {
  /** It was done. */
  DONE: 0,
  /** It was not done, or not all of it. */
  FAILED: 1,
  /** The command line or the configuration is not understood. */
  USAGE: 2,
  /** The node was asked, and does not do what it is meant to do. */
  NOT_READY: 3,
  /** The admin API wants a token, another one, or another host name. */
  DENIED: 4,
} as const;

/** One of {@linkcode ExitCode}. */
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/** What each exit code says, for help and documents. */
export const EXIT_CODE_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [ExitCode.DONE, "Done. Of `status` and `ready` also: the node is ready."],
  [
    ExitCode.FAILED,
    "Not done, or not all of it: no node answers, the store can't be read, something is damaged, files stay because a replica needs them. Standard error says which and what to do.",
  ],
  [
    ExitCode.USAGE,
    "The command line or the configuration is wrong; nothing was done.",
  ],
  [
    ExitCode.NOT_READY,
    "The node answers, and does not do what it is meant to do: `status`, `ready`, `source status`.",
  ],
  [
    ExitCode.DENIED,
    "The admin API refuses access: no token, a wrong one, one that may only read, or a host name it does not know.",
  ],
];
