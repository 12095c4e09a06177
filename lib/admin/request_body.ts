import { z } from "zod";
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
import { RequestError } from "./request_error.ts";
import { parseRfc3339 } from "./rfc3339.ts";

/** The body of `PUT /binlog/syncer/start`. */
export const SYNCER_START = z.strictObject({
  syncer_id: integerValue(SERVER_ID_RANGE).optional(),
  syncer_uuid: patternValue(UUID.pattern, UUID.reason).optional(),
  mysql_addr: addressValue({ portMin: 1 }),
  mysql_user: textValue(128),
  mysql_password: secretValue(),
  semi_sync: booleanValue().optional(),
  start: startValue().optional(),
  candidates: z.array(addressValue({ portMin: 1 })).optional(),
});

/** The body of `PUT /binlog/server/start`. */
export const SERVER_START = z.strictObject({
  addr: addressValue({ portMin: 0 }).optional(),
  user: textValue(128).optional(),
  password: secretValue().optional(),
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
  to: textValue(512).optional(),
  before: configValue((input) => {
    const timeMs = typeof input === "string" ? parseRfc3339(input) : undefined;
    if (timeMs !== undefined) return timeMs;
    throw new SyntaxError("must be a time such as 2026-11-23T10:00:00Z");
  }).optional(),
  force: booleanValue().optional(),
  dry_run: booleanValue().optional(),
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
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const { path, reason } = describeIssue(
    result.error.issues,
    () => Object.keys(schema.shape),
  );
  throw new RequestError(400, `${formatKeyPath(path)}: ${reason}`);
}
