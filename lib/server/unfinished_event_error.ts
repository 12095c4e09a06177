/**
 * A dump can't go on in the middle of an event: whatever is sent now, an error
 * packet too, the replica would take for the rest of it.
 */
export class UnfinishedEventError extends Error {
  override readonly name = "UnfinishedEventError";
}
