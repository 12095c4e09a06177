import { assertEquals } from "@std/assert";
import { compareOutput } from "./compare_output.ts";
import { checkConfiguration } from "./check_configuration.ts";
import { CHECKOUT, type DocumentMachine, HOME } from "./document_machine.ts";
import { MachineServer, type MachineServerOptions } from "./machine_server.ts";
import { type BackgroundCommand, MachineTerminal } from "./machine_terminal.ts";
import type { Block, MarkdownDocument, Piece } from "./markdown_document.ts";
import { NOT_RUN } from "./not_run.ts";
import { shellStatements } from "./shell_statements.ts";
import { waitUntil } from "../../scripts/test_servers/wait_until.ts";

/** What a document's test adds to the document. Keys of its tables are pieces
 * of the document's text, each of which has to be there. */
export interface DocumentPlan {
  /** Folder the reader is in; the project's own for documents that say so. */
  readonly folder?: string;
  /** The document's host names, with loopback addresses. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Its servers. The reader's `~/.my.cnf` leads to the first one. */
  readonly servers: Readonly<Record<string, MachineServerOptions>>;
  /** Passwords that its clients ask for with `-p`, by account. */
  readonly passwords?: Readonly<Record<string, string>>;
  /** What stands for something that only a run knows, and what it is then. */
  readonly replace?: Readonly<
    Record<string, (run: DocumentRun) => Promise<string>>
  >;
  /** What is there before the reader begins. */
  readonly prepare?: (run: DocumentRun) => Promise<void>;
  /** Whom a block of SQL is for: a server, or several, or a client command. */
  readonly sql?: Readonly<Record<string, string>>;
  /** What happens before a block or statement. */
  readonly before?: Readonly<
    Record<string, (run: DocumentRun) => Promise<void>>
  >;
  /** What has to hold after one. */
  readonly after?: Readonly<
    Record<string, (run: DocumentRun, output: string) => void | Promise<void>>
  >;
  /** Exit codes of statements, where not 0. */
  readonly exits?: Readonly<Record<string, number>>;
  /** What holds at the document's end. */
  readonly finish?: (run: DocumentRun) => Promise<void>;
}

/** Commands that run until they are stopped. */
const LONG_RUNNING = [
  /^(kingbus|(npx -y deno@\S+|deno) task start)( serve)?( --(?!help|version)\S+( [^-]\S*)?)*$/,
  /--watch\b/,
  /--follow\b/,
  /--stop-never\b/,
  /^tail -[fF]/,
  /^deno eval .*Deno\.serve/,
  /^journalctl .*-f\b/,
];

/** A client that waits for statements to be typed. */
const CLIENT = /^(mysql|mariadb)( +-[^e<|;]\S*)*$/;

/** Longest that a transaction may take to a replica. */
const ARRIVAL_MS = 60_000;

/** What curl ends with at an error of HTTP, when asked to. */
const HTTP_ERROR = 22;

/** A statement that takes longer is told of: all of them share CI's time. */
const SLOW_SECONDS = 10;

/** Blocks in these are pictures. */
const PICTURES = new Set(["", "mermaid"]);

/** What a reader with a document does in a machine. */
export class DocumentRun implements AsyncDisposable {
  readonly machine: DocumentMachine;
  readonly terminal: MachineTerminal;
  readonly #document: MarkdownDocument;
  readonly #plan: DocumentPlan;
  readonly #servers = new Map<string, MachineServer>();
  readonly #background: BackgroundCommand[] = [];
  /** Entries of the plan that nothing of the document was like yet. */
  readonly #unused: Set<string>;
  /** Clients that were opened last, for the SQL that follows. */
  #clients: string[] = [];
  #clientsLine = 0;
  /** What the last block has written. */
  #output: string | undefined;
  #scripts = 0;

  private constructor(
    document: MarkdownDocument,
    plan: DocumentPlan,
    machine: DocumentMachine,
    terminal: MachineTerminal,
  ) {
    this.#document = document;
    this.#plan = plan;
    this.machine = machine;
    this.terminal = terminal;
    this.#unused = new Set([
      ...Object.keys(plan.sql ?? {}),
      ...Object.keys(plan.before ?? {}),
      ...Object.keys(plan.after ?? {}),
      ...Object.keys(plan.exits ?? {}),
      ...Object.keys(plan.replace ?? {}),
      ...NOT_RUN.filter((entry) => entry.document === document.path)
        .map(({ begins }) => begins),
    ]);
  }

  /** Starts the servers and opens a terminal. */
  static async start(
    document: MarkdownDocument,
    plan: DocumentPlan,
    machine: DocumentMachine,
  ): Promise<DocumentRun> {
    const names = Object.entries(plan.servers);
    const servers = await Promise.all(
      names.map(([, options]) => MachineServer.start(machine, options)),
    );
    const folder = plan.folder ?? `${HOME}/work`;
    const terminal = await MachineTerminal.open(machine, folder);
    const run = new DocumentRun(document, plan, machine, terminal);
    for (const [index, server] of servers.entries()) {
      run.#servers.set(names[index]![0], server);
    }
    await servers[0]?.becomeDefault(HOME);
    await plan.prepare?.(run);
    return run;
  }

  /** One of the plan's servers. */
  server(name: string): MachineServer {
    const server = this.#servers.get(name);
    if (server !== undefined) return server;
    throw new TypeError(`The plan has no server ${name}`);
  }

  /** Entries of the plan that nothing in the document was like. */
  get unused(): string[] {
    return [...this.#unused];
  }

  /** Does what a block says. */
  async runBlock(block: Block): Promise<void> {
    const { language, line } = block;
    if (PICTURES.has(language)) return;
    if (language !== "sh" && this.#notRun(block, block)) return;
    try {
      switch (language) {
        case "sh":
          return await this.#runShell(block);
        case "sql":
          return await this.#runSql(block);
        case "yaml":
          return await this.#useYaml(block);
        case "js":
        case "ts":
          return await this.#runScript(block);
        case "promql":
          return await this.#checkQuery(block);
        case "text":
        case "json":
          return this.#compare(block);
      }
    } catch (error) {
      throw new DocumentFault(this.#document.path, line, String(error), error);
    }
    throw new DocumentFault(
      this.#document.path,
      line,
      `nothing runs blocks of "${language}"; list it in tests/documents/not_run.ts with a reason if nothing can`,
    );
  }

  /** Checks what goes on behind the document's end, and ends it. */
  async end(): Promise<void> {
    await this.#plan.finish?.(this);
    for (const command of this.#background) await this.#endCommand(command);
  }

  /** Runs a statement as the reader would, and gives what it writes. */
  async type(statement: string): Promise<string> {
    const { code, output } = await this.terminal.run(statement);
    if (code === 0) return output;
    throw new TypeError(`exit code ${code} of "${statement}":\n${output}`);
  }

  /** Waits until an assertion holds. */
  async holds(what: string, assertion: () => Promise<void>): Promise<void> {
    let fault: unknown;
    try {
      await waitUntil(what, async () => {
        try {
          await assertion();
          return true;
        } catch (error) {
          fault = error;
          return false;
        }
      }, { deadlineMs: ARRIVAL_MS, intervalMs: 100 });
    } catch (error) {
      throw new TypeError(
        `${error}: ${fault}\n${await this.#backgroundOutput()}`,
      );
    }
  }

  /** Waits until kingbus has all that a server has logged. */
  async logIs(address: string): Promise<void> {
    const entries = [...this.#servers];
    const [name = ""] =
      entries.find(([, { options }]) => options.at === address) ?? [];
    const status = await this.server(name).query("SHOW BINARY LOGS");
    const [file, size] = (status.split("\n").at(-1) ?? "").split("\t");
    await this.holds(`kingbus has the log of ${name}`, async () => {
      const text = await this.machine.must(
        "curl -sS http://127.0.0.1:9595/binlog/syncer/status",
      );
      const { last_binlog_file, last_file_position } = JSON.parse(text).data;
      assertEquals([last_binlog_file, String(last_file_position)], [
        file,
        size,
      ]);
    });
  }

  /** Waits until a server answers so. */
  async arrives(server: string, sql: string, wanted: string): Promise<void> {
    await this.holds(`${server} answers "${sql}"`, async () => {
      assertEquals(await this.server(server).query(sql), wanted);
    });
  }

  /**
   * Has another kingbus run than before, or the first one.
   *
   * @param config Name of its configuration, which is written if text is given.
   */
  async startKingbus(config: string, text?: string): Promise<void> {
    if (text !== undefined) {
      const folder = await this.terminal.folder();
      await this.machine.writeFile(`${folder}/${config}`, text);
    }
    await this.#startCommand(`kingbus serve --config ${config}`, 0);
  }

  /** Ends the kingbus that runs, as Ctrl-C does. */
  async stopKingbus(): Promise<void> {
    for (const command of this.#background) {
      if (!isServe(command.statement)) continue;
      await this.#endCommand(command);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
  }

  async #runShell(block: Block): Promise<void> {
    const outputs: string[] = [];
    for (const written of await shellStatements(block)) {
      const statement = {
        ...written,
        text: await this.#filledIn(written.text),
      };
      if (this.#notRun(statement, block)) continue;
      for (const hook of this.#entries(this.#plan.before, statement.text)) {
        await hook(this);
      }
      const begun = performance.now();
      const output = await this.#runStatement(statement);
      const seconds = (performance.now() - begun) / 1000;
      if (seconds > SLOW_SECONDS) {
        console.error(`${seconds.toFixed(0)} s: ${statement.text}`);
      }
      outputs.push(output);
      for (const hook of this.#entries(this.#plan.after, statement.text)) {
        await hook(this, output);
      }
    }
    this.#output = outputs.join("");
  }

  async #runStatement({ text, line }: Piece): Promise<string> {
    const statement = text.replace(/\s+#\s.*$/, "").replace(/ \\\n */g, " ")
      .trim();
    if (CLIENT.test(statement)) return await this.#openClient(statement, line);
    if (LONG_RUNNING.some((pattern) => pattern.test(statement))) {
      return await this.#startCommand(text, line);
    }
    const [wanted = 0] = this.#entries(this.#plan.exits, text);
    const typed = /^(mysql|mariadb)/.test(text)
      ? this.#withPassword(text)
      : text;
    const { code, output } = await this.terminal.run(typed);
    // an error that came as an answer is one, as with --fail
    const failed = code === 0 && /^(sudo )?curl/.test(text) &&
      /^\s*\{"message":"(?!success")/m.test(output);
    const ended = failed ? HTTP_ERROR : code;
    if (ended === wanted) return withoutNoise(output);
    throw new DocumentFault(
      this.#document.path,
      line,
      `exit code ${ended} of: ${text}\n${output}\n${await this
        .#backgroundOutput()}`,
    );
  }

  async #filledIn(text: string): Promise<string> {
    let filled = text;
    for (
      const [placeholder, value] of Object.entries(this.#plan.replace ?? {})
    ) {
      if (!filled.includes(placeholder)) continue;
      this.#unused.delete(placeholder);
      filled = filled.replaceAll(placeholder, await value(this));
    }
    return filled;
  }

  /** Takes a client as opened; it gets the SQL that comes. */
  async #openClient(statement: string, line: number): Promise<string> {
    const client = this.#withPassword(statement);
    const output = await this.type(`${client} -e 'SELECT 1'`);
    // several in a row are alternatives: each gets what follows
    this.#clients = line - this.#clientsLine <= 1 ? this.#clients : [];
    this.#clients.push(client);
    this.#clientsLine = line;
    return withoutNoise(output);
  }

  /** Types the password for a client that asks for it. */
  #withPassword(statement: string): string {
    const asks = / -p(?=\s|$)/;
    if (!asks.test(statement)) return statement;
    const [, long, short] = /--user=(\S+)|-u *(\S+)/.exec(statement) ?? [];
    const user = long ?? short ?? "";
    const password = this.#plan.passwords?.[user];
    if (password === undefined) {
      throw new TypeError(`the plan has no password of "${user}"`);
    }
    return statement.replace(asks, ` --password=${password}`);
  }

  async #startCommand(text: string, line: number): Promise<string> {
    if (isServe(text)) await this.stopKingbus();
    const command = await this.terminal.start(text);
    this.#background.push(command);
    const ready = isServe(text) ? "kingbus is up" : undefined;
    const begun = performance.now();
    await waitUntil(`"${text}" was ready`, async () => {
      const code = await command.code();
      if (code !== undefined && (code !== 0 || ready !== undefined)) {
        throw new DocumentFault(
          this.#document.path,
          line,
          `exit code ${code} of: ${text}\n${await command.output()}`,
        );
      }
      // of the others nothing is known but that they go on
      return ready === undefined
        ? performance.now() - begun > 1_500
        : (await command.output()).includes(ready);
    });
    return await command.output();
  }

  async #endCommand(command: BackgroundCommand): Promise<void> {
    this.#background.splice(this.#background.indexOf(command), 1);
    if (await command.code() === undefined) await command.stop();
  }

  async #backgroundOutput(): Promise<string> {
    const texts: string[] = [];
    for (const { statement, output } of this.#background) {
      texts.push(`"${statement}" has written:\n${await output()}`);
    }
    return texts.join("\n");
  }

  async #runSql(block: Block): Promise<void> {
    const { text } = block;
    for (const hook of this.#entries(this.#plan.before, text)) await hook(this);
    const targets = this.#entries(this.#plan.sql, text)
      .flatMap((names) => names.split(", "));
    const clients = targets.length > 0
      ? targets.map((name) => this.#servers.get(name)?.client ?? name)
      : this.#clients;
    if (clients.length === 0) {
      throw new TypeError(
        "no client was opened for this SQL, and the plan names none",
      );
    }
    const file = `/run/document/block${++this.#scripts}.sql`;
    await this.machine.writeFile(file, `${text}\n`);
    let output = "";
    for (const client of clients) {
      output = await this.type(`${client} --table --comments <${file}`);
    }
    this.#output = withoutNoise(output);
    for (const hook of this.#entries(this.#plan.after, text)) {
      await hook(this, this.#output);
    }
  }

  /** What Prometheus would read it as; whether there are such metrics too. */
  async #checkQuery({ text, line }: Block): Promise<void> {
    const metrics = await this.machine.must(
      "curl -sS http://127.0.0.1:9595/metrics",
    );
    for (const [name] of text.matchAll(/\bkingbus_\w+/g)) {
      const family = name.replace(/_(bucket|count|sum)$/, "");
      if (metrics.includes(`# TYPE ${family} `)) continue;
      throw new TypeError(`/metrics has no ${name}`);
    }
    const { code } = await this.machine.run("command -v promtool");
    if (code !== 0) {
      console.error(
        `NOT CHECKED ${this.#document.path}:${line}: no program promtool`,
      );
      return;
    }
    const rule = { record: "kingbus:checked", expr: text };
    const groups = [{ name: "checked", rules: [rule] }];
    const file = "/run/document/rules.json";
    await this.machine.writeFile(file, JSON.stringify({ groups }));
    await this.machine.must(`promtool check rules ${file}`);
  }

  /** A file where its first line names one, else a piece of a configuration. */
  async #useYaml({ text }: Block): Promise<void> {
    const [, name] = /^# (\S+\.ya?ml)\b/.exec(text) ?? [];
    for (const hook of this.#entries(this.#plan.before, text)) await hook(this);
    await checkConfiguration(text, name !== undefined);
    if (name === undefined) return;
    const folder = await this.terminal.folder();
    const path = name.startsWith("/") ? name : `${folder}/${name}`;
    await this.machine.writeFile(path, `${text}\n`);
  }

  async #runScript({ text }: Block): Promise<void> {
    const file = `${CHECKOUT}/example${++this.#scripts}.js`;
    await this.machine.writeFile(file, text);
    const folder = await this.terminal.folder();
    const map = `${CHECKOUT}/scripts/npm_imports/import_map.json`;
    const statement =
      `cd ${folder} && deno run -A --quiet --import-map=${map} ${file}`;
    for (const hook of this.#entries(this.#plan.before, text)) await hook(this);
    const hooks = this.#entries(this.#plan.after, text);
    const command = await this.terminal.start(statement);
    await waitUntil("the example has begun", async () => {
      const code = await command.code();
      if (code === undefined) return (await command.output()) !== "";
      if (code === 0) return true;
      throw new TypeError(`exit code ${code}:\n${await command.output()}`);
    });
    for (const hook of hooks) {
      await this.holds("the example does what it is for", async () => {
        await hook(this, await command.output());
      });
    }
    if (await command.code() === undefined) await command.stop();
  }

  #compare({ text }: Block): void {
    if (this.#output === undefined) {
      throw new TypeError("no command stands before this output");
    }
    const missing = compareOutput(text, this.#output);
    if (missing === undefined) return;
    throw new TypeError(
      `the output has no "${missing}" at its place:\n${this.#output}`,
    );
  }

  #notRun({ text, line }: Piece, block: Block): boolean {
    const entry = NOT_RUN.find(({ document, begins, heading }) =>
      document === this.#document.path && text.startsWith(begins) &&
      (heading ?? block.heading) === block.heading
    );
    if (entry === undefined) return false;
    this.#unused.delete(entry.begins);
    if (entry.unless !== undefined && Deno.env.has(entry.unless)) return false;
    console.error(
      `NOT RUN ${entry.document}:${line} "${
        text.split("\n")[0]
      }": ${entry.because}`,
    );
    return true;
  }

  /** Values of a table whose key is in the text. */
  #entries<T>(
    table: Readonly<Record<string, T>> | undefined,
    text: string,
  ): T[] {
    // a key that ends with a line's end is meant to be all of it
    const found = Object.entries(table ?? {}).filter(([key]) =>
      `${text}\n`.includes(key)
    );
    for (const [key] of found) this.#unused.delete(key);
    return found.map(([, value]) => value);
  }
}

/** A document does not do what it says. */
class DocumentFault extends Error {
  constructor(path: string, line: number, reason: string, cause?: unknown) {
    super(`${path}:${line}: ${reason}`, { cause });
    this.name = "DocumentFault";
  }
}

function isServe(statement: string): boolean {
  return LONG_RUNNING[0]!.test(statement.replace(/\s+#\s.*$/, "").trim());
}

/** What clients say about passwords on command lines is no output. */
function withoutNoise(output: string): string {
  return output.replace(/^\S+: \[Warning\] Using a password.*\n/gm, "");
}
