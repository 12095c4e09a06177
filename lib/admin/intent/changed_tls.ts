import type { SourceTlsSettings } from "../../config/options.ts";
import { ControlError, type TlsChange } from "../control.ts";

/**
 * The TLS settings with what is given in the place of what was, the mode being
 * what a replica's options come to: an authority is there to be verified with.
 *
 * @throws {ControlError} `invalid` where the files do not fit together
 */
export function changedTls(
  { mode, files }: SourceTlsSettings,
  change: TlsChange,
): SourceTlsSettings {
  const changed = { ...files };
  for (const name of ["ca", "certificate", "key"] as const) {
    const path = change[name];
    // the empty name is none
    if (path !== undefined) changed[name] = path === "" ? undefined : path;
  }
  const isEnabled = change.enabled ?? mode !== "disabled";
  const verifiesIdentity = change.verifiesIdentity ??
    mode === "verify-identity";
  if (isEnabled && verifiesIdentity && changed.ca === undefined) {
    throw invalid("without SOURCE_SSL_CA no server's certificate is trusted");
  }
  if ((changed.certificate === undefined) !== (changed.key === undefined)) {
    throw invalid("SOURCE_SSL_CERT and SOURCE_SSL_KEY go together");
  }
  return {
    files: changed,
    mode: !isEnabled
      ? "disabled"
      : verifiesIdentity
      ? "verify-identity"
      : changed.ca !== undefined
      ? "verify-ca"
      : change.enabled === undefined && mode === "preferred"
      ? "preferred"
      : "required",
  };
}

function invalid(message: string): ControlError {
  return new ControlError("invalid", message);
}
