/** What the demo tells its kingbus. */
export interface KingbusConfigOptions {
  /** Folder of the store. */
  readonly dataDir: string;
  readonly adminPort: number;
  /** Where the replica connects. */
  readonly serverPort: number;
  readonly sourcePort: number;
  /** The account kingbus uses on the source and the replica uses on kingbus. */
  readonly account: { readonly user: string; readonly password: string };
}

/** Writes kingbus's configuration file; all of it is on 127.0.0.1. */
export function formatKingbusConfig(options: KingbusConfigOptions): string {
  const { dataDir, adminPort, serverPort, sourcePort, account } = options;
  // JSON is YAML, and quotes whatever is in a path
  const user = JSON.stringify(account.user);
  const password = JSON.stringify(account.password);
  return `name: demo
data-dir: ${JSON.stringify(dataDir)}
admin:
  listen: 127.0.0.1:${adminPort}
server:
  listen: 127.0.0.1:${serverPort}
  users:
    - { name: ${user}, password: ${password} }
source:
  address: 127.0.0.1:${sourcePort}
  user: ${user}
  password: ${password}
  start: oldest
log: { level: info, format: text }
`;
}
