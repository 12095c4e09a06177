import type { SourceIdentity } from "../store/source_identity.ts";
import { SourceError } from "./source_error.ts";
import type { SourceOptions } from "./source_options.ts";

/**
 * Makes sure that kingbus and the source are two servers.
 *
 * @throws {SourceError} `own-server-id` when they have an id in common
 */
export function checkIdentity(
  identity: SourceIdentity,
  options: Pick<SourceOptions, "serverId" | "uuid">,
): void {
  if (identity.serverId === String(options.serverId)) {
    throw new SourceError(
      "own-server-id",
      `The source has server id ${identity.serverId}, and so has kingbus; set source.server-id to another number`,
    );
  }
  if (identity.uuid === options.uuid) {
    throw new SourceError(
      "own-server-id",
      `The source has server uuid ${identity.uuid}, and so has kingbus; unless source.address is kingbus itself, set source.uuid to another one`,
    );
  }
}
