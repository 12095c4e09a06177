// @ts-check
/// <reference lib="dom" />
import { readEnvelope } from "./admin_request.js";
import { backoffMs } from "./backoff.js";
import { EventParser } from "./event_parser.js";

/** @import { AdminToken } from "./admin_token.js" */

/**
 * How the connection to kingbus does. `lost` says why and when the next attempt
 * is; `refused` waits for a token.
 *
 * @typedef {{ kind: "connecting" }
 *   | { kind: "live" }
 *   | { kind: "paused" }
 *   | { kind: "lost", why: string, retryAt: number }
 *   | { kind: "refused", message: string }} Connection
 */

/**
 * @typedef {object} StreamParts
 * @property {string} path of the stream, relative to the page
 * @property {AdminToken} token
 * @property {(name: string, data: any) => void} onEvent
 * @property {() => void} onHeard kingbus said something, if only that there is
 *   nothing new: what it said before is so still
 * @property {(connection: Connection) => void} onConnection
 */

/** kingbus says something each second; after that long it has gone. */
const SILENCE_MS_MAX = 8_000;

/** How long an answer may take to begin. */
const ANSWER_MS_MAX = 10_000;

/**
 * kingbus ends each stream in time, to be asked for another one. One that ended
 * earlier was ended by something else.
 */
const WHOLE_MS_MIN = 60_000;

/** The stream was ended by something that a new attempt may mend. */
class StreamEnd extends Error {}

/** kingbus has ended the stream, in order. */
class StreamClose extends StreamEnd {}

/** The stream needs a token, or another one. */
class StreamRefusal extends Error {}

/**
 * Keeps the stream of events going: begins it anew when it ends, ever more
 * slowly while that does not work, and tells how it stands at all times.
 */
export class StatusStream {
  #parts;
  /** Ends what is under way; undefined while nothing is. */
  /** @type {AbortController | undefined} */
  #running;
  /** Ends the pause before the next attempt. */
  #wake = () => {};

  /** @param {StreamParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Begins, or begins anew at once. */
  start() {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#run(running.signal);
  }

  /** Ends it until the next start: nobody looks. */
  pause() {
    if (this.#running === undefined) return;
    this.#running.abort();
    this.#running = undefined;
    this.#parts.onConnection({ kind: "paused" });
  }

  /** Ends the pause before the next attempt. */
  retryNow() {
    this.#wake();
  }

  /** @param {AbortSignal} ended */
  async #run(ended) {
    const { onConnection } = this.#parts;
    let failures = 0;
    let isNext = false;
    while (!ended.aborted) {
      // That one stream follows another is nothing to be told.
      if (!isNext) onConnection({ kind: "connecting" });
      let beganAt = Infinity;
      const began = () => {
        failures = 0;
        beganAt = performance.now();
        onConnection({ kind: "live" });
      };
      const error = await this.#follow(ended, began).catch((error) => error);
      if (ended.aborted) return;
      if (error instanceof StreamRefusal) {
        onConnection({ kind: "refused", message: error.message });
        return;
      }
      isNext = error instanceof StreamClose &&
        performance.now() - beganAt > WHOLE_MS_MIN;
      if (isNext) continue;
      failures++;
      const pauseMs = backoffMs(failures, Math.random());
      onConnection({
        kind: "lost",
        why: error instanceof StreamEnd
          ? error.message
          : "kingbus does not answer",
        retryAt: Date.now() + pauseMs,
      });
      await this.#pause(pauseMs, ended);
    }
  }

  /**
   * Reads one stream to its end, which is always an error.
   *
   * @param {AbortSignal} ended
   * @param {() => void} began called with the first event
   * @returns {Promise<never>}
   */
  async #follow(ended, began) {
    const { path, token, onEvent, onHeard } = this.#parts;
    const silence = new Silence(ended);
    try {
      silence.limit(ANSWER_MS_MAX);
      const response = await fetch(path, {
        headers: token.headers({ accept: "text/event-stream" }),
        signal: silence.signal,
        cache: "no-store",
        redirect: "error",
      });
      if (!response.ok || response.body === null) {
        await refuse(response, token.given);
      }
      const text = response.body?.pipeThrough(new TextDecoderStream());
      const parser = new EventParser();
      let isLive = false;
      for await (const chunk of chunksOf(text)) {
        silence.limit(SILENCE_MS_MAX);
        for (const { name, data } of parser.push(chunk)) {
          onEvent(name, JSON.parse(data));
          if (!isLive) began();
          isLive = true;
        }
        if (isLive) onHeard();
      }
      throw new StreamClose("kingbus ended the connection");
    } catch (error) {
      throw silence.isOver ? new StreamEnd("kingbus has gone silent") : error;
    } finally {
      silence.end();
    }
  }

  /**
   * @param {number} pauseMs
   * @param {AbortSignal} ended
   */
  async #pause(pauseMs, ended) {
    const { promise, resolve } = Promise.withResolvers();
    const timer = setTimeout(resolve, pauseMs);
    this.#wake = () => resolve(undefined);
    ended.addEventListener("abort", this.#wake, { once: true });
    await promise;
    ended.removeEventListener("abort", this.#wake);
    clearTimeout(timer);
  }
}

/** Ends a request that says nothing for too long, or when it is ended anyway. */
class Silence {
  #abort = new AbortController();
  #ended;
  #end = () => this.#abort.abort();
  #timer = 0;
  /** True once it was silent for too long. */
  isOver = false;

  /** @param {AbortSignal} ended */
  constructor(ended) {
    this.#ended = ended;
    ended.addEventListener("abort", this.#end, { once: true });
  }

  get signal() {
    return this.#abort.signal;
  }

  /** @param {number} limitMs from now on */
  limit(limitMs) {
    clearTimeout(this.#timer);
    this.#timer = Number(setTimeout(() => {
      this.isOver = true;
      this.#abort.abort();
    }, limitMs));
  }

  end() {
    clearTimeout(this.#timer);
    this.#ended.removeEventListener("abort", this.#end);
    this.#abort.abort();
  }
}

/**
 * @param {ReadableStream<string> | undefined} stream
 * @returns {AsyncGenerator<string>}
 */
async function* chunksOf(stream) {
  const reader = stream?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/**
 * @param {Response} response
 * @param {boolean} hadToken
 * @returns {Promise<never>}
 */
async function refuse(response, hadToken) {
  const { message = `kingbus answered ${response.status}` } =
    await readEnvelope(
      response,
    );
  if (response.status === 401 || response.status === 403) {
    throw new StreamRefusal(
      hadToken
        ? message
        : "This kingbus shows how it does to those who have its read token or its admin token",
    );
  }
  throw new StreamEnd(message);
}
