import {
  eventSizeAt,
  eventTypeAt,
  HEADER_BYTES,
  logPosAt,
} from "../../binlog/event_header.ts";
import { EventType } from "../../binlog/event_type.ts";
import { FIRST_POSITION } from "../binlog_store.ts";
import { FRAME_BYTES } from "../framing.ts";

/** Whether a block begins with the event that begins every file. */
export function beginsFile(bytes: Uint8Array): boolean {
  const at = FRAME_BYTES;
  if (bytes.length < at + HEADER_BYTES) return false;
  return eventTypeAt(bytes, at) === EventType.FORMAT_DESCRIPTION &&
    logPosAt(bytes, at) === FIRST_POSITION + eventSizeAt(bytes, at);
}
