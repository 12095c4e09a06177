import type { FileNeed } from "./plan_purge.ts";

/** A replica because of which files are kept. */
export interface ReplicaHold extends FileNeed {
  /** It is being sent the log, or is one of the configuration's. */
  readonly kind: "connected" | "declared";
  /** Its server uuid; empty if it has not said. */
  readonly uuid: string;
  /** Its name in the configuration, or else where it connected from. */
  readonly name: string;
  /** Its connection; undefined for one of the configuration's. */
  readonly connectionId: string | undefined;
  /** The file it needs first; empty: it was never seen and needs everything. */
  readonly fileName: string;
  /** Where in that file. */
  readonly position: number;
}

/** A text that is the same for the same hold only. */
export function holdKey(hold: ReplicaHold): string {
  return `${hold.kind} ${hold.uuid} ${hold.connectionId ?? ""}`;
}

/** In words, who needs what: to end a log line or an error with. */
export function describeHold(hold: ReplicaHold): string {
  const { kind, uuid, name, connectionId, fileName, position } = hold;
  const id = uuid === "" || uuid === name ? "" : ` (${uuid})`;
  if (kind === "connected") {
    return `connection ${connectionId} from ${name}${id} is at ${fileName}:${position}`;
  }
  return fileName === ""
    ? `replica ${name}${id} has never connected and needs everything`
    : `replica ${name}${id} needs ${fileName}:${position}`;
}
