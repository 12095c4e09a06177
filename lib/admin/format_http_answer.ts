import { STATUS_CODES } from "node:http";

/**
 * A whole HTTP/1.1 answer as text, after which the connection ends: for what
 * fails before there is a request to answer.
 */
export async function formatHttpAnswer(response: Response): Promise<string> {
  const body = await response.text();
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  headers.set("content-length", String(new TextEncoder().encode(body).length));
  const { status } = response;
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${
    lines.join("")
  }\r\n${body}`;
}
