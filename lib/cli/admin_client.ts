import { BEARER_ADVICE } from "../admin/access/bearer_advice.ts";
import { describeError } from "../log/describe_error.ts";
import { printable } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** Where an admin API is, and how it is asked. */
export interface AdminPlace {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  /** Sent as bearer tokens: with what only reads, and with what changes. */
  readonly tokens?: {
    readonly read?: string | undefined;
    readonly change?: string | undefined;
  };
  /** Why there is none, where there should be one: for the error. */
  readonly tokenFault?: string | undefined;
  /** Certificates, in PEM, that are trusted beside the system's. */
  readonly ca?: string | undefined;
}

/** Why an admin API gave no answer that is of use. */
export type AdminErrorKind =
  /** Nobody listens there. */
  | "nobody"
  /** It can't be reached otherwise: name, network, TLS, no answer in time. */
  | "unreachable"
  /** What answers there is no kingbus. */
  | "foreign"
  /** It wants a token, another one, or another host name. */
  | "denied"
  /** The node refuses what it is asked for, and says why. */
  | "refused";

/** An admin API could not be asked; the message says why and what to do. */
export class AdminError extends Error {
  override readonly name = "AdminError";
  readonly kind: AdminErrorKind;
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined;
  /** `data` of the answer, which some errors have. */
  readonly data: unknown;

  constructor(
    kind: AdminErrorKind,
    message: string,
    options: ErrorOptions & {
      readonly status?: number;
      readonly data?: unknown;
    } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.status = options.status;
    this.data = options.data;
  }
}

/** What is asked of an admin API. */
export interface AdminQuestion<Data> {
  /** GET when absent. */
  readonly method?: "GET" | "PUT" | "DELETE";
  /** From the root: `/status`. */
  readonly path: string;
  /** Sent as JSON; nothing when absent. */
  readonly body?: unknown;
  /** How long the answer may take; ten seconds when absent. */
  readonly timeoutMs?: number;
  /** Ends it sooner. */
  readonly signal?: AbortSignal;
  /** Whether that is what a kingbus of this version answers. */
  readonly isAnswer: (data: unknown) => data is Data;
}

const TIMEOUT_MS = 10_000;
/** No answer has more; what sends more is no kingbus. */
const ANSWER_BYTES_MAX = 256 * 2 ** 20;

const OTHER_PROGRAM =
  "what answers there is no kingbus of this version; is the address right (--admin, --admin-listen)?";

/** Asks one admin API. */
export class AdminClient {
  readonly #place: AdminPlace;
  readonly #fetch: Terminal["fetch"];

  constructor(place: AdminPlace, terminal: Pick<Terminal, "fetch">) {
    this.#place = place;
    this.#fetch = terminal.fetch;
  }

  /** Whom it asks. */
  get url(): string {
    return this.#place.url;
  }

  /**
   * Asks, and gives the `data` of the answer.
   *
   * @throws {AdminError}
   */
  async ask<Data>(question: AdminQuestion<Data>): Promise<Data> {
    const response = await this.#send(question);
    const { status } = response;
    const answer = await readEnvelope(response).catch((error: unknown) => {
      if (error instanceof AdminError) throw error;
      throw this.#lost(error, question);
    });
    if (status === 401 || status === 403 || status === 421) {
      const message = this.#denied(status, answer, this.#token(question));
      throw new AdminError("denied", message, { status });
    }
    if (answer === undefined) {
      const said = response.ok
        ? ""
        : `it answered with HTTP status ${status}; `;
      throw new AdminError(
        "foreign",
        `${this.url} can't be used: ${said}${OTHER_PROGRAM}`,
        { status },
      );
    }
    if (!response.ok) {
      // What the original kingbus says begins with its name, as our lines do.
      const why = answer.message.replace(/^kingbus: /, "") ||
        `HTTP status ${status}`;
      const { data } = answer;
      throw new AdminError("refused", printable(why), { status, data });
    }
    if (question.isAnswer(answer.data)) return answer.data;
    throw new AdminError(
      "foreign",
      `${this.url} can't be used: ${OTHER_PROGRAM}`,
      { status },
    );
  }

  async #send<Data>(question: AdminQuestion<Data>): Promise<Response> {
    const { method = "GET", path, body, timeoutMs = TIMEOUT_MS } = question;
    const { ca } = this.#place;
    const token = this.#token(question);
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = question.signal === undefined
      ? timeout
      : AbortSignal.any([timeout, question.signal]);
    try {
      return await this.#fetch(`${this.url}${path}`, signal, {
        method,
        headers: {
          ...token === undefined ? {} : { authorization: `Bearer ${token}` },
          ...body === undefined ? {} : { "content-type": "application/json" },
        },
        ...body === undefined ? {} : { body: JSON.stringify(body) },
        ...ca === undefined ? {} : { ca },
      });
    } catch (error) {
      throw this.#lost(error, question);
    }
  }

  /** What `fetch` says of it fills lines, so the usual is said in our words. */
  #lost<Data>(
    cause: unknown,
    { timeoutMs = TIMEOUT_MS, signal }: AdminQuestion<Data>,
  ): AdminError {
    if (signal?.aborted) {
      return new AdminError("unreachable", "interrupted", { cause });
    }
    const text = describeError(cause);
    if (/connection refused/i.test(text)) {
      return new AdminError(
        "nobody",
        `no node answers at ${this.url}: connection refused; is it running, and is its address right (--admin, --admin-listen)?`,
        { cause },
      );
    }
    const isTimeout = cause instanceof DOMException &&
      cause.name === "TimeoutError";
    if (isTimeout) {
      return new AdminError(
        "unreachable",
        `no answer from ${this.url} within ${
          timeoutMs / 1000
        } s: is it kingbus that listens there, and is the machine reachable?`,
        { cause },
      );
    }
    if (/invalid HTTP version|invalid HTTP header|HTTP\/0\.9/i.test(text)) {
      return new AdminError(
        "foreign",
        `${this.url} can't be used: what answers there does not speak HTTP; is that the port of the replicas, or one with TLS (https://)?`,
        { cause },
      );
    }
    const isTls = /certificate|tls|ssl|handshake|InvalidContentType/i.test(
      text,
    );
    const advice = isTls
      ? `; give the authority's certificate with --admin-ca, and the name the certificate is for with --admin https://NAME:PORT (http:// where the admin API has no TLS)`
      : "; is it running, and is its address right (--admin, --admin-listen)?";
    return new AdminError(
      "unreachable",
      `no node can be asked at ${this.url}: ${
        printable(reasonOf(text))
      }${advice}`,
      { cause },
    );
  }

  #token<Data>({ method = "GET" }: AdminQuestion<Data>): string | undefined {
    const { tokens = {} } = this.#place;
    return method === "GET" ? tokens.read : tokens.change;
  }

  #denied(
    status: number,
    answer: Envelope | undefined,
    token: string | undefined,
  ): string {
    const message = answer?.message.replace(`: ${BEARER_ADVICE}`, "");
    const said = message ? `: ${printable(message)}` : "";
    const { tokenFault } = this.#place;
    const begin = `${this.url} refuses access`;
    if (status === 421) {
      return `${begin}${said}; ask it by an address, or add the name to admin.hosts of its configuration`;
    }
    if (status === 403) {
      return `${begin}${said}; give the admin token: --token-file, KINGBUS_ADMIN_TOKEN, or --config with the node's configuration`;
    }
    const what = token === undefined
      ? tokenFault ?? "it wants a token"
      : "it does not know the token given";
    return `${begin} (${what})${said}; give the token: --token-file, KINGBUS_ADMIN_TOKEN, or --config with the node's configuration`;
  }
}

/** What went wrong, without the request, which is named already. */
function reasonOf(text: string): string {
  return text.replace(/^.*client error \(\w+\): (?=.)/s, "");
}

interface Envelope {
  readonly message: string;
  readonly data: unknown;
}

/** The answer's JSON; undefined when it is none of kingbus's. */
async function readEnvelope(response: Response): Promise<Envelope | undefined> {
  const bytes = await readBounded(response);
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof answer !== "object" || answer === null) return undefined;
  const { message, data } = answer as Partial<Envelope>;
  return typeof message === "string" ? { message, data } : undefined;
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) {
      throw new AdminError(
        "foreign",
        `its answer has no end: ${OTHER_PROGRAM}`,
      );
    }
    chunks.push(chunk);
  }
  return await new Blob(chunks).bytes();
}
