import type { Log } from "../log/log.ts";
import type { Right } from "../config/right.ts";
import { decodePrepare, decodeQuery } from "../protocol/command.ts";
import { ErrorCode } from "../protocol/error_code.ts";
import type { PurgeTarget } from "./log_purger.ts";
import { logFactsOf } from "./log_facts.ts";
import { readResult } from "./read_result.ts";
import { openStatementText } from "./session_activity.ts";
import type { SessionClient } from "./session_client.ts";
import type { KillOutcome, SessionHost } from "./session_host.ts";
import type { SessionReplies } from "./session_replies.ts";
import type { SessionState } from "./session_state.ts";
import { steerSource } from "./source_steering.ts";
import { answerStatement, errorResult } from "./statement.ts";
import type { StatementContext } from "./statement_context.ts";
import { StatementFault } from "./statement_error.ts";
import { purgeWarnings, unknownTarget } from "./statement_purge.ts";
import type { StatementResult } from "./statement_result.ts";
import { prepareRefusal } from "./statement_table.ts";

/** What the statements of a session work with. */
export interface SessionStatementsParts {
  readonly client: SessionClient;
  readonly host: SessionHost;
  readonly state: SessionState;
  readonly replies: SessionReplies;
  readonly log: Log;
  /** Fires when the session is to end. */
  readonly signal: AbortSignal;
  /** Bytes that came from the client and went to it so far. */
  traffic(): { readonly received: bigint; readonly sent: bigint };
  /** Ends another session, or its dump alone. */
  kill(connectionId: bigint, queryOnly: boolean): KillOutcome;
  /** Ends this session. */
  endSelf(): void;
}

/**
 * The statements of one client: tells those who answer them what they have to
 * know of its session, does what an answer asks for besides being sent, and
 * sends it.
 */
export class SessionStatements {
  readonly #parts: SessionStatementsParts;
  #underWay: string | undefined;

  /** Answers nothing yet. */
  constructor(parts: SessionStatementsParts) {
    this.#parts = parts;
  }

  /** The statement that is being answered, as others may see it. */
  get underWay(): string | undefined {
    return this.#underWay;
  }

  /** What the user may do, now. */
  get rights(): ReadonlySet<Right> {
    const { client, host } = this.#parts;
    return host.rightsOf(client.login.user);
  }

  /**
   * Answers a COM_QUERY.
   *
   * @throws {ProtocolError} if it is malformed
   * @throws {ConnectionError} if the client does not take the answer
   */
  async query(payload: Uint8Array): Promise<void> {
    const { client, host, log } = this.#parts;
    const text = decodeQuery(payload, client.login.capabilities);
    this.#underWay = openStatementText(text);
    const context = await this.#context();
    const began = performance.now();
    const result = answerStatement(text, context);
    // the leading words alone: what follows them may hold a secret
    log.debug("statement", () => ({
      words: /^\s*\w+(?:\s+\w+)?/.exec(text)?.[0],
      answer: result.kind,
    }));
    // all but an answer that has to be read is encoded before it returns
    const sent = this.#send(result);
    host.turns.command.spent(performance.now() - began);
    await sent;
    this.#underWay = undefined;
  }

  /** Answers a COM_STMT_PREPARE, which is always refused; throws as `query`. */
  async prepare(payload: Uint8Array): Promise<void> {
    await this.#send(errorResult(prepareRefusal(decodePrepare(payload))));
  }

  async #send(result: StatementResult): Promise<void> {
    const { client, host, state, replies, log, signal } = this.#parts;
    if (result.kind !== "rows") state.warnings = [];
    switch (result.kind) {
      case "events":
      case "gtid-positions":
        return await this.#send(await readResult(result, host.store, signal));
      case "ok":
        state.apply(result.change);
        return await replies.okWith(result.warnings ?? []);
      case "rows":
        return await replies.rows(result, client.login.capabilities);
      case "error":
        return await replies.error(result);
      case "kill":
        return await this.#kill(result.connectionId, result.queryOnly);
      case "source": {
        const { action } = result;
        log.info("the source is steered by SQL", { action: action.kind });
        const { version } = await host.facts();
        const answer = await steerSource(action, host.sourceControl, version);
        return await this.#send(answer);
      }
      case "purge":
        return await this.#purge(result.target);
    }
  }

  async #purge(target: PurgeTarget): Promise<void> {
    const { host: { purger }, replies, log } = this.#parts;
    if (purger === undefined) {
      return await replies.errorCode(
        ErrorCode.ER_NOT_SUPPORTED_YET,
        "This version of MySQL doesn't yet support 'PURGE BINARY LOGS'",
      );
    }
    log.info("purge asked for", {
      ..."to" in target
        ? { to: target.to }
        : { before: new Date(target.beforeMs).toISOString() },
    });
    const answer = await purger.purge(target);
    if (answer === undefined) return await replies.error(unknownTarget());
    await replies.okWith(purgeWarnings(answer));
  }

  async #kill(connectionId: bigint, queryOnly: boolean): Promise<void> {
    const { client, replies } = this.#parts;
    if (connectionId === BigInt(client.connectionId)) {
      await replies.errorCode(
        ErrorCode.ER_QUERY_INTERRUPTED,
        "Query execution was interrupted",
      );
      if (!queryOnly) this.#parts.endSelf();
      return;
    }
    switch (this.#parts.kill(connectionId, queryOnly)) {
      case "killed":
        return await replies.ok();
      case "unknown":
        return await replies.errorCode(
          ErrorCode.ER_NO_SUCH_THREAD,
          `Unknown thread id: ${connectionId}`,
        );
      case "denied":
        return await replies.errorCode(
          StatementFault.ER_KILL_DENIED.code,
          `You are not owner of thread ${connectionId}`,
        );
    }
  }

  async #context(): Promise<StatementContext> {
    const { client, host, state } = this.#parts;
    const { connectionId, login, tls, compression } = client;
    const { store, environment } = host;
    const server = await host.facts();
    const { head } = store;
    const { received, sent } = this.#parts.traffic();
    return {
      server,
      session: {
        connectionId,
        user: login.user,
        host: client.host,
        database: state.database,
        characterSet: state.characterSet,
        userVariables: state.userVariables,
        settings: state.settings,
        rights: this.rights,
        link: {
          bytesReceived: received,
          bytesSent: sent,
          tlsVersion: tls?.version ?? "",
          tlsCipher: tls?.cipher ?? "",
        },
        warnings: state.warnings,
        compression,
      },
      nowMs: environment.nowMs(),
      newUuid: () => environment.randomUuid(),
      log: head && logFactsOf(head),
      files: () => store.files,
      replicas: () => host.replicas(),
      processes: () => host.processes(),
      source: () => host.sourceControl?.status(),
      tally: () => host.tally(),
      count: (names) => host.counters.statement(names),
    };
  }
}
