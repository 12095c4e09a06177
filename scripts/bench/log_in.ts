import type { PacketReader } from "../../lib/connection/packet_reader.ts";
import type { PacketWriter } from "../../lib/connection/packet_writer.ts";
import { ClientAuth } from "../../lib/protocol/client_auth.ts";
import type { HandshakeV10 } from "../../lib/protocol/handshake.ts";
import { decodeErr, isErr } from "../../lib/protocol/response.ts";
import { BenchError } from "./bench_error.ts";
import { REPLICATION } from "./bench_source.ts";

/** A login under way. */
export interface LoginStart {
  /** What the server has said, or what of it is to be heard. */
  readonly greeting: HandshakeV10;
  /** Sequence id of the client's next packet. */
  readonly sequenceId: number;
  /** Over TLS. */
  readonly secure: boolean;
}

/**
 * Logs in packet by packet, as a `ClientConnection` does, for clients that need
 * more to say in how.
 *
 * @throws {ServerError} if the server refuses
 */
export async function logIn(
  reader: PacketReader,
  writer: PacketWriter,
  { greeting, sequenceId: first, secure }: LoginStart,
): Promise<void> {
  const auth = new ClientAuth();
  let send: Uint8Array | undefined = auth.start(greeting, {
    ...REPLICATION,
    secure,
  });
  for (let sequenceId = first;;) {
    if (send !== undefined) {
      sequenceId = await writer.write(send, sequenceId);
      reader.expectSequence(sequenceId);
    }
    const step = auth.next(await readPayload(reader));
    sequenceId++;
    if ("done" in step) return;
    send = "send" in step ? step.send : undefined;
  }
}

/**
 * The next packet's payload.
 *
 * @throws {ServerError} if it is an error
 * @throws {BenchError} at the end of the connection
 */
export async function readPayload(reader: PacketReader): Promise<Uint8Array> {
  const packet = await reader.read();
  if (packet === null) throw new BenchError("The server hung up");
  if (isErr(packet.payload)) throw decodeErr(packet.payload);
  return packet.payload;
}
