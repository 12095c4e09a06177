// @ts-check
/// <reference lib="dom" />
/**
 * The status page: puts its parts together.
 *
 * @module
 */

import { ActionDialog } from "./action_dialog.js";
import { Actions } from "./actions.js";
import { askAdmin } from "./admin_request.js";
import { AdminToken } from "./admin_token.js";
import { ChartsView } from "./charts_view.js";
import { ConnectionView } from "./connection_view.js";
import { byId } from "./dom.js";
import { FilesView } from "./files_view.js";
import { LogView } from "./log_view.js";
import { NodeView } from "./node_view.js";
import { ReplicasView } from "./replicas_view.js";
import { ServerClock } from "./server_clock.js";
import { ServerView } from "./server_view.js";
import { SourceView } from "./source_view.js";
import { StatusStream } from "./status_stream.js";
import { TokenDialog } from "./token_dialog.js";
import { WarningsView } from "./warnings_view.js";

/** @import { LiveStatus } from "../live/live_status.ts" */
/** @import { Connection } from "./status_stream.js" */

/** A hidden page is told nothing any more after that long. */
const HIDDEN_MS = 5_000;

/** The whole page. */
class Page {
  #clock = new ServerClock();
  #token = new AdminToken();
  #connection = new ConnectionView();
  #actions = new Actions(
    new ActionDialog(this.#token),
    this.#token,
    () => this.#connection.isLive,
  );
  #charts = new ChartsView();
  #views = [
    new NodeView(this.#clock),
    new SourceView(this.#clock),
    new LogView(this.#clock, () => this.#ask("binlog/syncer/status")),
    new ServerView(),
    new ReplicasView(
      this.#clock,
      (id) => this.#actions.kick(id),
      async () => (await this.#ask("binlog/server/status")).slaves,
    ),
    new FilesView(
      this.#clock,
      (file) => this.#actions.purge(file),
      () => this.#ask("binlog/files"),
    ),
    new WarningsView(this.#clock),
  ];
  #tokenDialog = new TokenDialog(this.#token, () => this.#stream.start());
  #stream = new StatusStream({
    path: "status/stream",
    token: this.#token,
    onEvent: (name, data) => this.#take(name, data),
    onHeard: () => this.#connection.updated(),
    onConnection: (connection) => this.#connectionChanged(connection),
  });
  /** The newest status that is not shown yet. */
  /** @type {LiveStatus | undefined} */
  #status;
  #isAwaited = false;
  #hiding = 0;

  open() {
    byId("retry-button", HTMLButtonElement).addEventListener("click", () => {
      if (document.body.dataset["connection"] === "refused") this.#askToken();
      else this.#stream.retryNow();
    });
    byId("token-button", HTMLButtonElement).addEventListener("click", () => {
      this.#askToken();
    });
    document.addEventListener("visibilitychange", () => this.#watchHiding());
    globalThis.addEventListener("online", () => this.#stream.retryNow());
    setInterval(() => this.#tick(), 1000);
    this.#stream.start();
  }

  /**
   * @param {string} path
   * @returns {Promise<any>}
   */
  #ask(path) {
    return askAdmin(this.#token, "GET", path);
  }

  /**
   * Takes an event; what it says is shown with the next frame, which a hidden
   * page does not have.
   *
   * @param {string} name
   * @param {any} data
   */
  #take(name, data) {
    if (name === "history") this.#charts.begin(data);
    if (name === "sample") {
      this.#clock.set(data.at);
      this.#charts.add(data);
    }
    if (name === "status") this.#status = data;
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    requestAnimationFrame(() => {
      this.#isAwaited = false;
      this.#show();
    });
  }

  #show() {
    const status = this.#status;
    if (status === undefined) return;
    for (const view of this.#views) view.show(status);
    this.#charts.show();
    this.#actions.show(status);
    this.#connection.show();
    byId("main", HTMLElement).removeAttribute("aria-busy");
  }

  /** @param {Connection} connection */
  #connectionChanged(connection) {
    this.#connection.changed(connection);
    this.#actions.showWhether();
    if (connection.kind === "refused") this.#askToken(connection.message);
  }

  /** @param {string} [refusal] */
  #askToken(refusal) {
    const why = this.#token.given ? refusal : undefined;
    this.#tokenDialog.open(
      "The read token is for looking; the admin token is for looking and for changing something.",
      why,
    );
  }

  #tick() {
    if (document.hidden) return;
    this.#connection.show();
    this.#actions.showWhether();
  }

  #watchHiding() {
    clearTimeout(this.#hiding);
    if (document.hidden) {
      this.#hiding = Number(
        setTimeout(() => this.#stream.pause(), HIDDEN_MS),
      );
    } else if (document.body.dataset["connection"] === "paused") {
      this.#stream.start();
    }
  }
}

new Page().open();
