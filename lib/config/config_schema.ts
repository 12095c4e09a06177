import * as z from "zod";
import { ADMIN_SHAPE, ADMIN_TLS_SHAPE } from "./admin_schema.ts";
import { KEY_INFO, optional, required, withDefault } from "./key_info.ts";
import { optionalPath } from "./optional_path.ts";
import {
  addressValue,
  booleanValue,
  choiceValue,
  type ConfigValue,
  configValue,
  durationValue,
  integerValue,
  pathValue,
  patternValue,
  secretValue,
  show,
  sizeValue,
  textValue,
} from "./config_value.ts";
import { GtidSet } from "../gtid/gtid_set.ts";
import {
  formatMariadbGtidPosition,
  parseMariadbGtidPosition,
} from "../gtid/mariadb_gtid_position.ts";
import { COMPRESSION_ALGORITHMS } from "../protocol/compression.ts";
import { RIGHTS, RIGHTS_BY_DEFAULT } from "./right.ts";

/** Server ids are 32 bits wide; 0 is taken. */
export const SERVER_ID_RANGE = { min: 1, max: 2 ** 32 - 1 };
/** How a server uuid is written. */
export const UUID = {
  pattern: /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
  reason: "must be a uuid such as 3e11fa47-71ca-11e1-9e33-c80aa9429562",
} as const;

const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;

function passwordKeys(whose: string, options: { flags: boolean }) {
  const flag = options.flags ? {} : { flag: false as const };
  return {
    "password": optional(secretValue(), {
      type: "text",
      about: `Password of ${whose}.`,
      absent: "one of the three",
      flag: false,
    }),
    "password-file": optionalPath({
      about:
        `File that holds the password of ${whose}; one line end at its end is not part of it.`,
      absent: "one of the three",
      ...flag,
    }),
    "password-env": optional(textValue(256), {
      type: "name",
      about: `Environment variable that holds the password of ${whose}.`,
      absent: "one of the three",
      ...flag,
    }),
  };
}

const userShape = {
  "name": required(textValue(128), {
    type: "text",
    about: "Name a replica logs in with.",
    flag: false,
  }),
  ...passwordKeys("the account", { flags: false }),
  "rights": z.array(choiceValue(RIGHTS))
    .nonempty(`must name at least one of ${RIGHTS.join(", ")}`)
    .prefault([...RIGHTS_BY_DEFAULT])
    .register(KEY_INFO, {
      type: "list of `replicate`, `monitor`, `admin`",
      about:
        "What the account may do: `replicate` registers and dumps the log, `monitor` sees how the log, its replicas and the source stand, `admin` purges, ends others' connections and steers the syncer, and includes the other two. What it may not is answered with error 1227. See docs/sql.md for each statement.",
      fallback: `[${RIGHTS_BY_DEFAULT.join(", ")}]`,
      flag: false,
    }),
  "require-tls": withDefault(booleanValue(), {
    type: "boolean",
    about:
      "Whether the account may log in over TLS only, as one with REQUIRE SSL; without it that is answered with error 1045.",
    fallback: "false",
    flag: false,
  }),
};

const serverTlsShape = {
  "mode": withDefault(choiceValue(["disabled", "optional", "required"]), {
    type: "`disabled`, `optional` or `required`",
    about:
      "Whether clients may, or have to, come over TLS (1.2 or 1.3). A replica of MySQL 9.7 wants it unless told otherwise; with `required` a login without it is refused with error 3159.",
    fallback: "optional",
  }),
  "certificate": optionalPath({
    about:
      "PEM file of the certificate, with those between it and its authority behind it. It is read again when it changes, and on SIGHUP.",
    absent: "one is made at the first start and kept in `tls` of data-dir",
  }),
  "key": optionalPath({
    about: "PEM file of the certificate's private key, without a passphrase.",
    absent: "made with the certificate",
  }),
  "ca": optionalPath({
    about:
      "PEM file of the authorities whose certificates clients may show; for `client-certificate`.",
    absent: "nobody's are trusted",
  }),
  "client-certificate": withDefault(
    choiceValue(["ignored", "optional", "required"]),
    {
      type: "`ignored`, `optional` or `required`",
      about:
        "Whether clients are asked for a certificate. One that does not lead to `ca` is refused with error 1045, and with `required` so is a login without one or without TLS.",
      fallback: "ignored",
    },
  ),
};

const sourceTlsShape = {
  "mode": withDefault(
    choiceValue([
      "disabled",
      "preferred",
      "required",
      "verify-ca",
      "verify-identity",
    ]),
    {
      type:
        "`disabled`, `preferred`, `required`, `verify-ca` or `verify-identity`",
      about:
        "As `--ssl-mode` of MySQL's clients: `preferred` takes TLS where the source offers it, `required` insists on it, `verify-ca` on a certificate of an authority in `ca` too, `verify-identity` on one that is for the name or address connected to as well. For candidates too.",
      fallback: "preferred",
    },
  ),
  "ca": optionalPath({
    about:
      "PEM file of the authorities that are trusted; for `verify-ca` and `verify-identity`. This and the next two are read again for each connection.",
    absent: "nobody is trusted",
  }),
  "certificate": optionalPath({
    about:
      "PEM file of the certificate kingbus shows to the source, for an account with REQUIRE X509.",
    absent: "none is shown",
  }),
  "key": optionalPath({
    about: "PEM file of that certificate's private key, without a passphrase.",
    absent: "none",
  }),
};

const serverShape = {
  "listen": withDefault(addressValue({ portMin: 0 }), {
    type: "address",
    about: "Where replicas connect. Port 0 takes any free port.",
    fallback: "127.0.0.1:3390",
  }),
  "identity": withDefault(choiceValue(["own", "source"]), {
    type: "`own` or `source`",
    about:
      "Whose server id and uuid replicas see: kingbus's own, so that a change of source does not look like a change of server, or those of the source.",
    fallback: "own",
  }),
  "version": withDefault(
    patternValue(
      /^([5-9]|\d{2})\.\d{1,2}\.\d{1,3}[\w.+~-]{0,48}$/,
      "must be a server version such as 8.4.0",
    ),
    {
      type: "version",
      about:
        "Server version in the greeting before a source was ever seen; from then on the source's is used.",
      fallback: "8.4.0-kingbus",
    },
  ),
  "server-id": optional(integerValue(SERVER_ID_RANGE), {
    type: "integer",
    about: "kingbus's own server id towards replicas.",
    absent: "made once and kept in the store",
  }),
  "users": z.array(z.strictObject(userShape)).prefault([]).register(KEY_INFO, {
    type: "list",
    about:
      "The accounts replicas log in with. There is no default account: without one every login is refused.",
    absent: "nobody can log in",
    flag: false,
  }),
  "tls": z.strictObject(serverTlsShape).prefault({}),
  "connections-max": withDefault(integerValue({ min: 1, max: 100_000 }), {
    type: "integer",
    about:
      "How many clients may be logged in at once; the next is refused with error 1040.",
    fallback: "1000",
  }),
  "semi-sync": withDefault(booleanValue(), {
    type: "boolean",
    about:
      "Offers replicas semi-synchronous replication: they acknowledge what they have received.",
    fallback: "false",
  }),
  "compression": z.array(choiceValue(COMPRESSION_ALGORITHMS))
    .prefault([...COMPRESSION_ALGORITHMS])
    .register(KEY_INFO, {
      type: "list of `zlib`, `zstd`",
      about:
        "How clients may have their connections compressed: `zlib` is what MySQL 5.6 and 5.7 and MariaDB know, `zstd` came with MySQL 8.0.18. Whoever asks for nothing is served uncompressed; `[]` offers nothing. A client chooses the level of zstd; more than 9 is served with 9.",
      fallback: `[${COMPRESSION_ALGORITHMS.join(", ")}]`,
      flag: false,
    }),
  "wait-for-replicas": withDefault(integerValue({ min: 0, max: 1000 }), {
    type: "integer",
    about:
      "How many replicas must have acknowledged a transaction before kingbus acknowledges it to its own source; needs `semi-sync`, and `source.semi-sync` to have an effect.",
    fallback: "0",
  }),
  "wait-timeout": withDefault(durationValue({ min: 1, max: 24 * HOUR_MS }), {
    type: "duration",
    about:
      "How long those replicas may take. After that kingbus waits for none of them, until they have caught up.",
    fallback: "10s",
  }),
  "login-timeout": withDefault(durationValue({ min: 100, max: HOUR_MS }), {
    type: "duration",
    about: "How long a login may take before its connection is closed.",
    fallback: "10s",
  }),
};

const followShape = {
  "tls": z.strictObject(sourceTlsShape).prefault({}),
  "heartbeat": withDefault(durationValue({ min: 100, max: HOUR_MS }), {
    type: "duration",
    about: "Period in which an idle source is asked to send a sign of life.",
    fallback: "5s",
  }),
  "read-timeout": withDefault(durationValue({ min: 1000, max: 24 * HOUR_MS }), {
    type: "duration",
    about:
      "How long the source may be silent before the connection counts as lost; above heartbeat.",
    fallback: "20s",
  }),
  "compression": withDefault(choiceValue(["none", ...COMPRESSION_ALGORITHMS]), {
    type: "`none`, `zlib` or `zstd`",
    about:
      "How the connection to the source is compressed. A source that does not offer it is not followed, as a replica with `SOURCE_COMPRESSION_ALGORITHMS` does not.",
    fallback: "none",
  }),
  "connect-timeout": withDefault(durationValue({ min: 100, max: HOUR_MS }), {
    type: "duration",
    about: "How long connecting and logging in at the source may take.",
    fallback: "10s",
  }),
  "switch-after": withDefault(durationValue({ min: 0, max: 24 * HOUR_MS }), {
    type: "duration",
    about:
      "How long the source may be lost before the candidates are tried; `0s` means at once. A source that can't be followed any more is not waited for.",
    fallback: "30s",
  }),
};

const sourceShape = {
  "address": required(addressValue({ portMin: 1 }), {
    type: "address",
    about:
      "The MySQL or MariaDB server to follow; an empty store takes either, one with data only its own kind.",
  }),
  "candidates": z.array(addressValue({ portMin: 1 })).prefault([])
    .register(KEY_INFO, {
      type: "list of addresses",
      about:
        "Servers to follow in the place of the one that is followed when that is lost, tried in this order: its replicas, say. They are changed to by GTID, with the same account. Name address here too, among them, and it is one of those that are come back to.",
      absent: "no other server is followed by itself",
      flag: false,
    }),
  "user": required(textValue(128), {
    type: "text",
    about: "Account on the source; it needs REPLICATION SLAVE.",
  }),
  ...passwordKeys("the account on the source", { flags: true }),
  "server-id": optional(integerValue(SERVER_ID_RANGE), {
    type: "integer",
    about:
      "The server id kingbus registers with at the source; no other replica of the source may have it.",
    absent: "made once and kept in the store",
  }),
  "uuid": optional(
    patternValue(UUID.pattern, UUID.reason),
    {
      type: "uuid",
      about: "The server uuid kingbus registers with at the source.",
      absent: "made once and kept in the store",
    },
  ),
  "start": withDefault(startValue(), {
    type: "`oldest`, `newest`, a GTID set or a MariaDB GTID position",
    about:
      "Where an empty store begins: at the source's oldest file, at its newest, or at the newest file whose previous GTIDs are all in the given set; with a MariaDB source, at the newest file that has all that comes after a position such as `0-1-100,1-2-7`. A store with data goes on where it ended.",
    fallback: "oldest",
  }),
  ...followShape,
  "semi-sync": withDefault(booleanValue(), {
    type: "boolean",
    about:
      "Acknowledges to the source each transaction once it is on disk, if the source has semi-synchronous replication. Without it kingbus follows asynchronously.",
    fallback: "false",
  }),
};

const logShape = {
  "level": withDefault(choiceValue(["debug", "info", "warn", "error"]), {
    type: "`debug`, `info`, `warn` or `error`",
    about: "The least severe messages that are written.",
    fallback: "info",
  }),
  "format": withDefault(choiceValue(["text", "json"]), {
    type: "`text` or `json`",
    about: "Lines for people, or one JSON object a line.",
    fallback: "text",
  }),
  "directory": optionalPath({
    about:
      "Folder that gets the log as well, in `kingbus.log`; made if missing.",
    absent: "stderr only",
  }),
  "file-size": withDefault(sizeValue({ min: 4096, max: 2 ** 40 }), {
    type: "size",
    about:
      "Size at which `kingbus.log` becomes `kingbus.log.1` and a new one begins.",
    fallback: "64MiB",
  }),
  "old-files": withDefault(integerValue({ min: 1, max: 1000 }), {
    type: "integer",
    about: "How many such old files are kept.",
    fallback: "5",
  }),
};

const storeShape = {
  "tail-memory": withDefault(sizeValue({ min: MIB, max: 64 * 1024 * MIB }), {
    type: "size",
    about:
      "How much of the log's end is kept in memory and shared by all replicas that are near it.",
    fallback: "32MiB",
  }),
  "cache-memory": withDefault(sizeValue({ min: MIB, max: 64 * 1024 * MIB }), {
    type: "size",
    about:
      "How much of the older log is kept in memory for the replicas that read it.",
    fallback: "24MiB",
  }),
};

const retainedReplicaShape = {
  "uuid": required(patternValue(UUID.pattern, UUID.reason), {
    type: "uuid",
    about: "The replica's server uuid, as its `@@server_uuid` says it.",
    flag: false,
  }),
  "name": optional(textValue(128), {
    type: "text",
    about: "What status answers and the log call it.",
    absent: "its uuid",
    flag: false,
  }),
};

const retentionShape = {
  "size": optional(sizeValue({ min: MIB, max: 2 ** 52 }), {
    type: "size",
    about:
      "How large all binary log files may be together; the oldest go when it is more.",
    absent: "no limit",
  }),
  "age": optional(durationValue({ min: 1000, max: 36_500 * 24 * HOUR_MS }), {
    type: "duration",
    about:
      "How old a file's last event may be, by the source's clock; then the file goes.",
    absent: "no limit",
  }),
  "files": optional(integerValue({ min: 1, max: 10_000_000 }), {
    type: "integer",
    about: "How many files may be kept, the one being written among them.",
    absent: "no limit",
  }),
  "free-disk": optional(sizeValue({ min: MIB, max: 2 ** 52 }), {
    type: "size",
    about:
      "How much space the disk of data-dir is to have free; the oldest files go when it has less. Space inside the database that is free for new files counts as free.",
    absent: "no limit",
  }),
  "check-interval": withDefault(
    durationValue({ min: 100, max: 24 * HOUR_MS }),
    {
      type: "duration",
      about:
        "How often the limits are checked, besides each time a file has ended.",
      fallback: "30s",
    },
  ),
  "replicas": z.array(z.strictObject(retainedReplicaShape)).prefault([])
    .register(KEY_INFO, {
      type: "list",
      about:
        "Replicas whose files are kept while they are away: nothing goes that one of them has not been sent. One that has never connected needs everything.",
      absent: "a replica's files are kept only while it is connected",
      flag: false,
    }),
};

const rootShape = {
  "name": withDefault(
    patternValue(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "must be letters, digits, dots, dashes and underscores, at most 64",
    ),
    {
      type: "text",
      about: "Name of this node in its status answers.",
      fallback: "kingbus",
    },
  ),
  "data-dir": withDefault(pathValue(), {
    type: "path",
    about: "Folder of the store; made if missing.",
    fallback: "./data",
  }),
};

/** A group of keys: the top level, a section, or the members of a list. */
export interface ConfigSection {
  /** Keys that lead to it; `[]` stands for a list's members. */
  readonly path: readonly string[];
  /** What it is about, where the key that holds it does not say. */
  readonly about: string;
  readonly shape: Readonly<Record<string, z.ZodType>>;
}

/** Every group of keys, in the order in which the documents show them. */
export const CONFIG_SECTIONS: readonly ConfigSection[] = [
  { path: [], about: "The node.", shape: rootShape },
  { path: ["admin"], about: "The admin HTTP API.", shape: ADMIN_SHAPE },
  {
    path: ["admin", "tls"],
    about: "TLS of the admin API; both keys or none.",
    shape: ADMIN_TLS_SHAPE,
  },
  {
    path: ["server"],
    about: "The binlog server, which replicas connect to.",
    shape: serverShape,
  },
  {
    path: ["server", "tls"],
    about: "TLS towards replicas and other clients.",
    shape: serverTlsShape,
  },
  {
    path: ["server", "users", "[]"],
    about: "An account.",
    shape: userShape,
  },
  {
    path: ["source"],
    about: "The source. Without this section nothing is followed at first.",
    shape: sourceShape,
  },
  {
    path: ["source", "tls"],
    about: "TLS towards the source.",
    shape: sourceTlsShape,
  },
  { path: ["log"], about: "The log of the process.", shape: logShape },
  { path: ["store"], about: "The binary log kept.", shape: storeShape },
  {
    path: ["retention"],
    about:
      "How long files are kept. Without a limit nothing is removed by itself.",
    shape: retentionShape,
  },
  {
    path: ["retention", "replicas", "[]"],
    about: "A replica whose files are kept while it is away.",
    shape: retainedReplicaShape,
  },
];

/** Validator of a whole configuration, as YAML gives it. */
export const CONFIG_SCHEMA = z.strictObject({
  ...rootShape,
  admin: z.strictObject(ADMIN_SHAPE).prefault({}),
  server: z.strictObject(serverShape).prefault({}),
  source: z.strictObject(sourceShape).optional(),
  log: z.strictObject(logShape).prefault({}),
  store: z.strictObject(storeShape).prefault({}),
  retention: z.strictObject(retentionShape).prefault({}),
});

/** How a source is followed that the configuration says nothing about. */
export const FOLLOW_SCHEMA = z.strictObject(followShape);

/** A validated configuration, its secrets still references. */
export type ConfigTree = z.output<typeof CONFIG_SCHEMA>;

/** Where to get one password: the three keys as given. */
export interface PasswordKeys {
  readonly "password"?: string | undefined;
  readonly "password-file"?: string | undefined;
  readonly "password-env"?: string | undefined;
}

/** `oldest`, `newest`, a GTID set or a MariaDB GTID position, in their normal forms. */
export function startValue(): ConfigValue<string> {
  return configValue((input) => {
    if (input === "oldest" || input === "newest") return input;
    try {
      if (typeof input !== "string") throw new SyntaxError("no text");
      if (/^\s*\d+-/.test(input)) {
        return formatMariadbGtidPosition(parseMariadbGtidPosition(input));
      }
      const set = GtidSet.parse(input);
      if (set.isEmpty) throw new SyntaxError("empty");
      return set.toString();
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(
        `must be oldest, newest, a GTID set or a MariaDB GTID position, not ${
          show(input)
        }`,
        { cause: error },
      );
    }
  });
}
