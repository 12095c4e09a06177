import type { z } from "zod";

/** Methods a route may have; a `GET` answers `HEAD` as well. */
export type RouteMethod = "GET" | "POST" | "PUT" | "DELETE";

/** What a caller must be allowed: nothing, to see, or to change. */
export type RouteAccess = "open" | "read" | "admin";

/** Sections that the documents put routes in, in that order. */
export const ROUTE_SUBJECTS = [
  "node",
  "source",
  "replicas",
  "files",
  "page",
  "description",
  "cluster",
] as const;

/** One of {@linkcode ROUTE_SUBJECTS}. */
export type RouteSubject = typeof ROUTE_SUBJECTS[number];

/** A way in which a request of one route can fail, beside those of all. */
export interface RouteError {
  readonly status: number;
  /** In words, as the documents have it: "the log has no such file". */
  readonly when: string;
}

/** An answer that is no JSON envelope. */
export interface MediaAnswer {
  /** Such as `text/html`, or `*`/`*` where it depends. */
  readonly mediaType: string;
  /** What is in it. */
  readonly about: string;
  /** Whether it has an `ETag`, and 304 is the answer to who has it. */
  readonly hasTag?: boolean | undefined;
}

/** A request, as the handler of its route gets it. */
export interface AdminCall<Query = unknown> {
  readonly request: Request;
  /** The parts of the path that stand in braces, decoded and checked. */
  readonly params: Readonly<Record<string, string>>;
  /** What the route's `query` made of the query string. */
  readonly query: Query;
  /** What the caller is allowed; `open` for one that may see no details. */
  readonly granted: RouteAccess;
  /** Aborted when the API closes: an answer that streams ends then. */
  readonly closing: AbortSignal;
  /**
   * Reads the body, no more of it and no longer than it may take.
   *
   * @throws {RequestError} 400, 408, 413 or 415.
   */
  text(): Promise<string>;
}

/**
 * One method of one path: what the router, the OpenAPI document and
 * docs/admin-api.md are made from.
 */
export interface AdminRoute<Query = unknown> {
  readonly method: RouteMethod;
  /** `/binlog/server/replicas/{connection_id}`: each part in braces is one of `params`. */
  readonly path: string;
  readonly subject: RouteSubject;
  /** What it does, in a few words that begin with a capital letter. */
  readonly summary: string;
  readonly access: RouteAccess;
  /** The parts of the path in braces; each takes a text. */
  readonly params?: z.ZodObject;
  /** The query string's names; unknown ones are refused if this is there. */
  readonly query?: z.ZodType<Query>;
  /** The body, for the documents; the handler parses what `text()` gives. */
  readonly body?: z.ZodType;
  /** `data` of the envelope, or an answer of another kind; undefined: only errors. */
  readonly answer: z.ZodType | MediaAnswer | undefined;
  readonly errors: readonly RouteError[];
  /**
   * Answers with `success()`, or with the media type of `answer`. Errors are
   * thrown (RequestError, ControlError, RetentionError) or made by `failure()`.
   */
  handle(call: AdminCall<Query>): Response | Promise<Response>;
}
