import { encodePackets } from "../../../lib/protocol/packet_encoder.ts";
import { PacketDecoder } from "../../../lib/protocol/packet_decoder.ts";
import { ProtocolError } from "../../../lib/protocol/protocol_error.ts";
import { GREETINGS, MYSQL97_REPLICA } from "../../support/captured_login.ts";
import { hex } from "../../support/byte_table.ts";
import { FuzzInput, withChoices } from "../fuzz_input.ts";
import { type FuzzTarget, refusal, require } from "../fuzz_target.ts";

const packets = (...payloads: Uint8Array[]): Uint8Array => {
  const parts: number[] = [];
  let id = 0;
  for (const payload of payloads) {
    const { bytes, nextSequenceId } = encodePackets(payload, id);
    parts.push(...bytes);
    id = nextSequenceId;
  }
  return Uint8Array.from(parts);
};

const LIMITS = [40, 5000, 64 * 1024 * 1024];

interface Options {
  readonly maxPayloadBytes: number;
  readonly acceptsNotices: boolean;
}

/** What a decoder makes of a stream that comes in such pieces, as text. */
function decoded(
  stream: Uint8Array,
  options: Options,
  pieces: (at: number) => number,
): { packets: string; fault: string } {
  const decoder = new PacketDecoder(options);
  let packets = "";
  try {
    for (let at = 0; at < stream.length;) {
      const size = pieces(at);
      decoder.feed(stream.slice(at, at + size));
      for (let packet = decoder.next(); packet; packet = decoder.next()) {
        packets += `${packet.sequenceId}:${hex(packet.payload)}\n`;
      }
      at += size;
    }
  } catch (error) {
    return { packets, fault: refusal(error, [ProtocolError]) };
  }
  const { buffered } = decoder;
  const rest = decoder.takeRest();
  require(rest.length === buffered, "takeRest() gives what is buffered");
  require(
    hex(rest) === hex(stream.subarray(stream.length - rest.length)),
    "takeRest() gives the bytes as they came",
  );
  return { packets, fault: `${rest.length > 0 ? "rest" : ""}` };
}

/** Packets come out the same however the stream is cut. */
export const PACKET_TARGETS: readonly FuzzTarget[] = [{
  name: "packet-decoder",
  corpus: [
    withChoices([1, 0], packets(GREETINGS.mysql97, MYSQL97_REPLICA)),
    withChoices([1, 1], packets(Uint8Array.of(3, 0x53), new Uint8Array(0))),
    withChoices([0, 1], packets(new Uint8Array(300))),
    withChoices([2, 0], Uint8Array.of(0xff, 0xff, 0xff, 0, 1, 2, 3)),
    withChoices([1, 1], packets(Uint8Array.of(0xff, 0x15, 4, 0x23, 0x30))),
  ],
  run(bytes) {
    const input = new FuzzInput(bytes);
    const options = {
      maxPayloadBytes: input.pick(LIMITS),
      acceptsNotices: input.flag(),
    };
    const stream = input.rest();
    const whole = decoded(stream, options, () => stream.length);
    const cut = decoded(stream, options, (at) => 1 + at % 7);
    const single = stream.length > 2000
      ? whole
      : decoded(stream, options, () => 1);
    require(whole.packets === cut.packets, "cuts change no packet");
    require(cut.packets === single.packets, "single bytes change no packet");
    require(
      whole.fault === cut.fault && cut.fault === single.fault,
      `cuts change no fault: ${whole.fault} | ${cut.fault} | ${single.fault}`,
    );
    return `${cut.packets.split("\n").length > 2} ${whole.fault}`;
  },
}];
