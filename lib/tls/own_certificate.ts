import { CredentialsError } from "./credentials.ts";
import { fileExists } from "./file_exists.ts";
import { makeCertificate } from "./make_certificate.ts";

/** Files of a certificate that was made here. */
export interface OwnCertificateFiles {
  /** What clients verify us with. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** What {@linkcode ensureOwnCertificate} is given. */
export interface OwnCertificateOptions {
  /** The data directory. */
  readonly dataDir: string;
  /** What the certificate is called. */
  readonly name: string;
  /** Host names and addresses that it is for. */
  readonly hosts: readonly string[];
}

/** The folder in the data directory. */
const FOLDER = "tls";

/**
 * The certificate of a server that was given none, as MySQL's
 * `auto_generate_certs` has it: made at the first start, then kept in
 * `<data-dir>/tls` with the authority's certificate, which clients can verify
 * it with. The key's file is for this user alone.
 *
 * @returns where the files are, and whether they were made now
 * @throws {CredentialsError} if the folder is there and a file is not
 */
export async function ensureOwnCertificate(
  { dataDir, name, hosts }: OwnCertificateOptions,
): Promise<{ files: OwnCertificateFiles; made: boolean }> {
  const folder = `${dataDir}/${FOLDER}`;
  const files = filesIn(folder);
  if (await fileExists(folder)) {
    for (const part of ["certificate", "key", "ca"] as const) {
      if (await fileExists(files[part])) continue;
      throw new CredentialsError(
        part,
        files[part],
        `is missing: put it back, or remove the folder ${folder} to have a new certificate made`,
      );
    }
    return { files, made: false };
  }
  const made = await makeCertificate({ name, hosts, nowMs: Date.now() });
  // Under its name the folder is there with all of it, or not at all.
  const draft = `${folder}.new`;
  await removeFolder(draft);
  await Deno.mkdir(draft, { mode: 0o700 });
  const drafts = filesIn(draft);
  await Deno.writeTextFile(drafts.key, made.keyPem, { mode: 0o600 });
  await Deno.writeTextFile(drafts.certificate, made.certificatePem);
  await Deno.writeTextFile(drafts.ca, made.authorityPem);
  // Clients need a copy of the authority's; the key's own mode protects it.
  await Deno.chmod(draft, 0o755);
  await Deno.rename(draft, folder);
  return { files, made: true };
}

function filesIn(folder: string): OwnCertificateFiles {
  return {
    ca: `${folder}/ca.pem`,
    certificate: `${folder}/server-cert.pem`,
    key: `${folder}/server-key.pem`,
  };
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
