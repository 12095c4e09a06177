import type { ClientConnection } from "../../lib/connection/client_connection.ts";
import { encodeQuery } from "../../lib/protocol/command.ts";
import {
  type TextAnswer,
  TextResultSetDecoder,
} from "../../lib/protocol/result_set.ts";

/**
 * The answer to a statement with its columns as they are declared. The
 * connection can be used for the next statement afterwards.
 *
 * @throws {ServerError} If the server refuses the statement.
 */
export async function readAnswer(
  client: ClientConnection,
  sql: string,
): Promise<TextAnswer> {
  await client.sendCommand(encodeQuery(sql));
  const decoder = new TextResultSetDecoder(client.capabilities);
  for (;;) {
    const packet = await client.reader.read();
    if (packet === null) throw new TypeError("The connection ended");
    if (decoder.push(packet.payload)) return decoder.answer();
  }
}
