/** Folders that kingbus's executable may touch, whoever makes it. */
export interface UsualFolders {
  /** To read and write: data, logs, exports. */
  readonly write: readonly string[];
  /** To read: configuration, certificates, passwords. */
  readonly read: readonly string[];
}

/** The folder a process is started in; Deno resolves it when it starts. */
const STARTED_IN = ".";

const UNIX_READ = ["/etc/kingbus", "/etc/ssl", "/etc/letsencrypt"];

/**
 * The folders where an operating system keeps what kingbus needs, besides the
 * one it is started in. `scripts/compile.ts` gives an executable the permission
 * for these and no others, since what the configuration names is not known yet.
 *
 * @param os As `Deno.build.os` names it.
 */
export function usualFolders(os: typeof Deno.build.os): UsualFolders {
  if (os === "windows") {
    const programData = "C:\\ProgramData\\kingbus";
    return { write: [STARTED_IN, programData], read: [] };
  }
  if (os === "darwin") {
    return {
      write: [
        STARTED_IN,
        "/usr/local/var/kingbus",
        "/usr/local/var/log/kingbus",
        "/opt/homebrew/var/kingbus",
        "/opt/homebrew/var/log/kingbus",
      ],
      read: [
        ...UNIX_READ,
        "/usr/local/etc/kingbus",
        "/opt/homebrew/etc/kingbus",
      ],
    };
  }
  return {
    write: [STARTED_IN, "/var/lib/kingbus", "/var/log/kingbus"],
    read: [...UNIX_READ, "/etc/pki", "/run/secrets", "/run/credentials"],
  };
}
