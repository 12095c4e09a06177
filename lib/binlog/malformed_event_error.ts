/**
 * An event whose bytes cannot be what its type says: cut short, a length that
 * points outside, a value no server writes.
 */
export class MalformedEventError extends Error {
  /** Type of the event, or -1 if not even that could be read. */
  readonly eventType: number;

  constructor(message: string, eventType: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "MalformedEventError";
    this.eventType = eventType;
  }
}
