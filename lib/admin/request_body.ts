import * as z from "zod";
import { formatKeyPath } from "../config/config_key.ts";
import { SERVER_ID_RANGE, startValue, UUID } from "../config/config_schema.ts";
import {
  addressValue,
  booleanValue,
  configValue,
  integerValue,
  patternValue,
  secretValue,
  textValue,
} from "../config/config_value.ts";
import { describeIssue } from "../config/describe_issue.ts";
import type { PurgeTarget } from "../retention/retention.ts";
import type { ServerStartRequest, SyncerStartRequest } from "./control.ts";
import { findDuplicateKey } from "./find_duplicate_key.ts";
import { RequestError } from "./request_error.ts";
import { parseRfc3339 } from "./rfc3339.ts";

/** The body of `PUT /binlog/syncer/start`. */
export const SYNCER_START = z.strictObject({
  mysql_addr: addressValue({ portMin: 1 }).meta({
    type: "string",
    description: "`host:port` of the source, IPv6 in brackets.",
    examples: ["127.0.0.1:3306"],
  }),
  mysql_user: textValue(128).meta({
    type: "string",
    description: "The account on the source.",
    examples: ["repl"],
  }),
  mysql_password: secretValue().meta({
    type: "string",
    format: "password",
    description: "Its password; it appears in no answer.",
    examples: ["replpass"],
  }),
  syncer_id: integerValue(SERVER_ID_RANGE).optional().meta({
    type: "integer",
    minimum: SERVER_ID_RANGE.min,
    maximum: SERVER_ID_RANGE.max,
    description: "Server id towards the source; kingbus's own when absent.",
    examples: [1001],
  }),
  syncer_uuid: patternValue(UUID.pattern, UUID.reason).optional().meta({
    type: "string",
    format: "uuid",
    description: "UUID towards the source; kingbus's own when absent.",
  }),
  start: startValue().optional().meta({
    type: "string",
    description:
      "Where an empty log begins: `oldest`, `newest`, a GTID set, or a MariaDB GTID position such as `0-1-100`; `oldest` when absent.",
    examples: ["oldest"],
  }),
  candidates: z.array(
    addressValue({ portMin: 1 }).meta({ type: "string" }),
  ).optional().meta({
    description:
      "Servers to follow in its place when it is lost, in order, with the same account; the configuration's when absent, if the account is its.",
  }),
  semi_sync: booleanValue().optional().meta({
    type: "boolean",
    description:
      "Acknowledge to the source what is on disk; `source.semi-sync` when absent.",
  }),
});

/** The body of `PUT /binlog/server/start`. */
export const SERVER_START = z.strictObject({
  addr: addressValue({ portMin: 0 }).optional().meta({
    type: "string",
    description:
      "`host:port` to listen on; port 0 takes any free one; as configured when absent.",
    examples: ["127.0.0.1:3390"],
  }),
  user: textValue(128).optional().meta({
    type: "string",
    description:
      "An account for replicas in the place of the configured ones; with `password`.",
    examples: ["repl"],
  }),
  password: secretValue().optional().meta({
    type: "string",
    format: "password",
    description: "Its password, not empty; it appears in no answer.",
    examples: ["replpass"],
  }),
});

/**
 * The body of `PUT /binlog/syncer/start`; undefined when it is empty.
 *
 * @throws {RequestError} 400
 */
export function parseSyncerStart(text: string): SyncerStartRequest | undefined {
  const body = parseBody(text, SYNCER_START);
  if (body === undefined) return undefined;
  return {
    address: body.mysql_addr,
    user: body.mysql_user,
    password: body.mysql_password,
    serverId: body.syncer_id,
    uuid: body.syncer_uuid?.toLowerCase(),
    start: body.start,
    semiSync: body.semi_sync,
    candidates: body.candidates,
  };
}

/**
 * The body of `PUT /binlog/server/start`; undefined when it is empty.
 *
 * @throws {RequestError} 400
 */
export function parseServerStart(text: string): ServerStartRequest | undefined {
  const body = parseBody(text, SERVER_START);
  if (body === undefined) return undefined;
  const { addr, user, password } = body;
  if ((user === undefined) !== (password === undefined)) {
    const missing = user === undefined ? "user" : "password";
    throw new RequestError(400, `${missing}: is missing: give both or none`);
  }
  if (password === "") {
    throw new RequestError(400, "password: must not be empty");
  }
  const account = user === undefined || password === undefined
    ? undefined
    : { name: user, password };
  return { listen: addr, account };
}

/** The body of `PUT /binlog/purge`. */
export const PURGE = z.strictObject({
  to: textValue(512).optional().meta({
    type: "string",
    description: "The first file that stays; this or `before` is given.",
    examples: ["binlog.000042"],
  }),
  before: configValue((input) => {
    const timeMs = typeof input === "string" ? parseRfc3339(input) : undefined;
    if (timeMs !== undefined) return timeMs;
    throw new SyntaxError("must be a time such as 2026-11-23T10:00:00Z");
  }).optional().meta({
    type: "string",
    format: "date-time",
    description: "Removes the files whose last event is older; RFC 3339.",
  }),
  force: booleanValue().optional().meta({
    type: "boolean",
    description:
      "Removes what replicas still need as well; their dumps end with error 1236.",
  }),
  dry_run: booleanValue().optional().meta({
    type: "boolean",
    description: "Removes nothing and says what would go.",
  }),
});

/** What `PUT /binlog/purge` asks for. */
export interface PurgeRequest {
  readonly target: PurgeTarget;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/**
 * The body of `PUT /binlog/purge`.
 *
 * @throws {RequestError} 400
 */
export function parsePurge(text: string): PurgeRequest {
  const body = parseBody(text, PURGE);
  const { to, before, force = false, dry_run: dryRun = false } = body ?? {};
  if (to !== undefined && before === undefined) {
    return { target: { to }, force, dryRun };
  }
  if (to === undefined && before !== undefined) {
    return { target: { beforeMs: before }, force, dryRun };
  }
  throw new RequestError(
    400,
    to === undefined
      ? 'give what to purge: {"to": "<first file to keep>"} or {"before": "<time>"}'
      : "before: is given besides to: give only one of them",
  );
}

/** The message never quotes the body: there may be a password in it. */
function parseBody<Shape extends z.core.$ZodLooseShape>(
  text: string,
  schema: z.ZodObject<Shape, z.core.$strict>,
): z.output<z.ZodObject<Shape, z.core.$strict>> | undefined {
  if (text.trim() === "") return undefined;
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    throw new RequestError(400, "the body is no valid JSON");
  }
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new RequestError(400, "the body must be a JSON object");
  }
  if (Object.keys(input).length === 0) return undefined;
  const twice = findDuplicateKey(text);
  if (twice !== undefined) {
    throw new RequestError(400, `${twice.slice(0, 100)}: is given twice`);
  }
  // The validator does not see it; nothing else is named so, either.
  if (Object.hasOwn(input, "__proto__")) {
    throw new RequestError(400, "__proto__: is no key here");
  }
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const { path, reason } = describeIssue(
    result.error.issues,
    () => Object.keys(schema.shape),
  );
  throw new RequestError(400, `${formatKeyPath(path)}: ${reason}`);
}
