import { EventType } from "../../lib/binlog/event_type.ts";

/**
 * Makes an event with nothing but a header in it, as far as tests of event
 * order look.
 *
 * @param type Type code.
 * @param options `flags` of the header, `body` after it, `trailerBytes` of
 *   (wrong) checksum.
 */
export function bareEvent(
  type: number,
  options: { flags?: number; body?: Uint8Array; trailerBytes?: number } = {},
): Uint8Array {
  const body = options.body ?? new Uint8Array();
  const event = new Uint8Array(
    19 + body.length + (options.trailerBytes ?? 4),
  );
  const view = new DataView(event.buffer);
  view.setUint8(4, type);
  view.setUint32(9, event.length, true);
  view.setUint16(17, options.flags ?? 0, true);
  event.set(body, 19);
  return event;
}

/** Makes a QUERY event with this statement. */
export function queryEvent(
  statement: string,
  options: {
    schema?: string;
    statusBytes?: number;
    trailerBytes?: number;
  } = {},
): Uint8Array {
  const schema = new TextEncoder().encode(options.schema ?? "");
  const text = new TextEncoder().encode(statement);
  const statusBytes = options.statusBytes ?? 0;
  const body = new Uint8Array(
    13 + statusBytes + schema.length + 1 + text.length,
  );
  body[8] = schema.length;
  new DataView(body.buffer).setUint16(11, statusBytes, true);
  body.set(schema, 13 + statusBytes);
  body.set(text, body.length - text.length);
  const trailer = options.trailerBytes;
  return bareEvent(
    EventType.QUERY,
    trailer === undefined ? { body } : { body, trailerBytes: trailer },
  );
}
