import type { Log } from "../log/log.ts";
import {
  type CredentialFiles,
  type Credentials,
  CredentialsError,
  readCredentials,
} from "./credentials.ts";

/** What a {@linkcode CredentialsKeeper} is made with. */
export interface CredentialsKeeperOptions {
  readonly files: CredentialFiles;
  readonly log: Log;
  /** How often the files are looked at, in ms; 2 s when absent. */
  readonly pollMs?: number | undefined;
  /** Told of the new ones each time they were read again. */
  readonly onChange?: ((credentials: Credentials) => void) | undefined;
}

const POLL_MS = 2000;
/** From so long before its end on, each reading of a certificate warns of it. */
const EXPIRES_SOON_MS = 30 * 24 * 3_600_000;

/**
 * Keeps the certificates of a server up to date: they are read again when their
 * files have changed and stayed the same for a poll, since certificate and key
 * are replaced one after the other, and when asked to. What can't be used is
 * said in the log, and the certificates of before go on being used.
 */
export class CredentialsKeeper implements Disposable {
  readonly #files: CredentialFiles;
  readonly #log: Log;
  readonly #onChange: CredentialsKeeperOptions["onChange"];
  readonly #timer: ReturnType<typeof setInterval>;
  #current: Credentials;
  /** What the files looked like when they were read last, or tried to be. */
  #read: string;
  /** What they looked like at the last poll. */
  #seen: string;
  #polling = false;

  private constructor(
    { files, log, pollMs = POLL_MS, onChange }: CredentialsKeeperOptions,
    credentials: Credentials,
    look: string,
  ) {
    this.#files = files;
    this.#log = log;
    this.#onChange = onChange;
    this.#current = credentials;
    this.#read = look;
    this.#seen = look;
    this.#warnOfEnd();
    this.#timer = setInterval(() => this.#poll(), pollMs);
  }

  /**
   * Reads the files and begins to watch them.
   *
   * @throws {CredentialsError} if they can't be used
   */
  static async open(
    options: CredentialsKeeperOptions,
  ): Promise<CredentialsKeeper> {
    const look = await lookOf(options.files);
    const credentials = await readCredentials(options.files);
    return new CredentialsKeeper(options, credentials, look);
  }

  /** Where they are. */
  get files(): CredentialFiles {
    return this.#files;
  }

  /** The certificates of now. */
  get current(): Credentials {
    return this.#current;
  }

  /** Reads the files again. Never throws: what is wrong goes to the log. */
  async reload(): Promise<void> {
    this.#read = await lookOf(this.#files);
    this.#seen = this.#read;
    try {
      this.#current = await readCredentials(this.#files);
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error;
      this.#log.error(
        "the new certificate can't be used; the one of before goes on being used",
        { file: error.file, reason: error.reason },
      );
      return;
    }
    this.#log.info("certificate read again; new connections get it", {
      subject: this.#current.certificate?.subject.replaceAll("\n", ", "),
      validTo: this.#current.certificate?.validTo,
    });
    this.#warnOfEnd();
    this.#onChange?.(this.#current);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      const look = await lookOf(this.#files);
      const isStable = look === this.#seen;
      this.#seen = look;
      if (isStable && look !== this.#read) await this.reload();
    } finally {
      this.#polling = false;
    }
  }

  #warnOfEnd(): void {
    const { certificate } = this.#current;
    if (certificate === undefined) return;
    if (Date.parse(certificate.validTo) - Date.now() > EXPIRES_SOON_MS) return;
    this.#log.warn(
      "the certificate expires soon, or has: clients that verify it will refuse it",
      { file: this.#files.certificate, validTo: certificate.validTo },
    );
  }
}

/** What changes when one of the files is written, replaced or removed. */
async function lookOf(files: CredentialFiles): Promise<string> {
  const paths = [files.certificate, files.key, files.ca];
  const looks = paths.map(async (path) => {
    if (path === undefined) return "none";
    try {
      const { mtime, size, ino } = await Deno.stat(path);
      return `${mtime?.getTime()}/${size}/${ino}`;
    } catch {
      // Why is said where it is read.
      return "unreadable";
    }
  });
  return (await Promise.all(looks)).join(" ");
}
