/** Ways to be a nuisance to a server; what each does is with its code. */
export const HOSTILE_KINDS = [
  "connections",
  "silent",
  "slow-login",
  "wrong-password",
  "tls-wrong-password",
  "never-read",
  "unfinished",
  "statements",
  "dumps",
  "malformed-dumps",
  "large-dumps",
] as const;

/** One of them. */
export type HostileKind = typeof HOSTILE_KINDS[number];

/** What `hostile_clients.ts` is to do. */
export interface HostileInput {
  readonly port: number;
  readonly kind: HostileKind;
  /** Clients at once. */
  readonly clients: number;
  readonly seconds: number;
  /** Ends it earlier, after so many attempts. */
  readonly attemptsMax?: number | undefined;
  /** Ends it earlier, once there is such a file. */
  readonly stopFile?: string | undefined;
  readonly user: string;
  readonly password: string;
  /** A file of the log, for those who ask for it. */
  readonly fileName: string;
}

/** What it did. */
export interface HostileResult {
  /** How often it did what its kind is about. */
  readonly attempts: number;
}
