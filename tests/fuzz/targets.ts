import type { FuzzTarget } from "./fuzz_target.ts";
import { COMMAND_TARGETS } from "./targets/command_targets.ts";
import { COMPRESSION_TARGETS } from "./targets/compression_targets.ts";
import { CONFIG_TARGETS } from "./targets/config_targets.ts";
import { EVENT_TARGETS } from "./targets/event_targets.ts";
import { GTID_TARGETS } from "./targets/gtid_targets.ts";
import { LOGIN_TARGETS } from "./targets/login_targets.ts";
import { MARIADB_TARGETS } from "./targets/mariadb_targets.ts";
import { PACKET_TARGETS } from "./targets/packet_targets.ts";
import { SERVER_TARGETS } from "./targets/server_targets.ts";
import { STATEMENT_TARGETS } from "./targets/statement_target.ts";
import { STREAM_TARGETS } from "./targets/stream_targets.ts";

/** Everything that reads bytes which others have written. */
export const TARGETS: readonly FuzzTarget[] = [
  ...PACKET_TARGETS,
  ...COMPRESSION_TARGETS,
  ...LOGIN_TARGETS,
  ...COMMAND_TARGETS,
  ...GTID_TARGETS,
  ...MARIADB_TARGETS,
  ...STATEMENT_TARGETS,
  ...EVENT_TARGETS,
  ...STREAM_TARGETS,
  ...SERVER_TARGETS,
  ...CONFIG_TARGETS,
];
