// @ts-check
/// <reference lib="dom" />
import { askAdmin } from "./admin_request.js";
import { byId, setShown, setText, setTitle } from "./dom.js";
import { formatNumberOf, formatPlain } from "./format.js";
import { PurgeForm } from "./purge_form.js";
import { replicaName } from "./replica_name.js";

/** @import { ActionDialog } from "./action_dialog.js" */
/** @import { AdminToken } from "./admin_token.js" */
/** @import { LiveStatus } from "../live/live_status.ts" */

/** Why nothing can be done from here where there is no admin token. */
const NO_TOKEN =
  "Actions are off: this kingbus has no admin token. Set admin.admin-token-file or admin.admin-token-env in its configuration, and start it again.";

const NOT_LIVE =
  "Actions are off while kingbus can't be reached: what is shown may not be so any more.";

/** What can be done to kingbus from the page. Each asks first. */
export class Actions {
  #dialog;
  #token;
  #isLive;
  /** @type {LiveStatus | undefined} */
  #status;
  /** Why nothing can be done; empty if it can. */
  #off = "";

  /**
   * @param {ActionDialog} dialog
   * @param {AdminToken} token
   * @param {() => boolean} isLive
   */
  constructor(dialog, token, isLive) {
    this.#dialog = dialog;
    this.#token = token;
    this.#isLive = isLive;
    this.#on("source-start", () => this.#startSource());
    this.#on("source-stop", () => this.#stopSource());
    this.#on("server-start", () => this.#startServer());
    this.#on("server-stop", () => this.#stopServer());
    this.#on("purge", () => this.purge());
    // Ahead of the buttons themselves, those of the tables too.
    document.addEventListener("click", (event) => this.#explain(event), true);
  }

  /** @param {LiveStatus} status */
  show(status) {
    this.#status = status;
    const { syncer, server } = status;
    const hasSource = syncer.mysql_addr !== "";
    const isIdle = syncer.state === "stopped" || syncer.state === "failed";
    setShown(byId("source-start", HTMLElement), hasSource && isIdle);
    setShown(byId("source-stop", HTMLElement), hasSource && syncer.wanted);
    const isServing = server.status === "running";
    setShown(byId("server-start", HTMLElement), !isServing);
    setShown(byId("server-stop", HTMLElement), isServing || server.wanted);
    this.showWhether();
  }

  /** Shows whether anything can be done at all. */
  showWhether() {
    this.#off = this.#whyOff();
    for (const button of document.querySelectorAll("[data-action]")) {
      if (!(button instanceof HTMLElement)) continue;
      const off = String(this.#off !== "");
      if (button.getAttribute("aria-disabled") !== off) {
        button.setAttribute("aria-disabled", off);
      }
      setTitle(button, this.#off);
    }
    const note = byId("actions-note", HTMLElement);
    setShown(note, this.#hasNoToken);
    setText(note, NO_TOKEN);
  }

  /**
   * Removes old files.
   *
   * @param {string} [file] the first one to keep
   */
  purge(file = "") {
    const form = new PurgeForm({
      token: this.#token,
      dialog: this.#dialog,
      file,
    });
    this.#dialog.open({
      title: "Purge files",
      text:
        "Removes the oldest files of the log for good. Replicas that still need them can't go on from kingbus. First see what would go.",
      confirm: form.confirm,
      body: form.body,
      run: () => form.run(),
    });
  }

  /**
   * Ends a replica's connection.
   *
   * @param {string} connectionId
   */
  kick(connectionId) {
    const replica = this.#status?.server.slaves.find(({ connection_id }) =>
      connection_id === connectionId
    );
    if (replica === undefined) return;
    const name = formatPlain(replicaName(replica), 80);
    const path = `binlog/server/replicas/${encodeURIComponent(connectionId)}`;
    this.#dialog.open({
      title: `Kick ${name}?`,
      text: `Ends the connection of ${name} (from ${
        formatPlain(replica.remote, 80)
      }). Nothing is lost: most replicas connect again by themselves after some seconds, and go on where they were.`,
      confirm: "Kick replica",
      isDangerous: true,
      run: async () => {
        await askAdmin(this.#token, "DELETE", path);
        return `${name} was kicked`;
      },
    });
  }

  #startSource() {
    const address = formatPlain(this.#status?.syncer.mysql_addr ?? "", 120);
    this.#dialog.open({
      title: "Start following the source?",
      text:
        `kingbus connects to ${address} and goes on where its log ends, now and whenever it is started again.`,
      confirm: "Start following",
      run: async () => {
        await askAdmin(this.#token, "PUT", "binlog/syncer/start");
        return "Following was started";
      },
    });
  }

  #stopSource() {
    const address = formatPlain(this.#status?.syncer.mysql_addr ?? "", 120);
    this.#dialog.open({
      title: "Stop following the source?",
      text:
        `kingbus lets go of ${address} and stores nothing new until it is started again; it stays stopped when kingbus is restarted. Replicas are served what is stored, and fall behind. The source may purge files in the meantime.`,
      confirm: "Stop following",
      isDangerous: true,
      run: async () => {
        await askAdmin(this.#token, "PUT", "binlog/syncer/stop");
        return "Following was stopped";
      },
    });
  }

  #startServer() {
    const address = formatPlain(this.#status?.server.addr ?? "", 120);
    this.#dialog.open({
      title: "Start serving replicas?",
      text:
        `kingbus listens on ${address} for replicas, now and whenever it is started again.`,
      confirm: "Start serving",
      run: async () => {
        await askAdmin(this.#token, "PUT", "binlog/server/start");
        return "Serving was started";
      },
    });
  }

  #stopServer() {
    const count = this.#status?.server.slaves.length ?? 0;
    const who = count === 0
      ? "No replica is connected now."
      : `${formatNumberOf(count, "replica")} will be disconnected.`;
    this.#dialog.open({
      title: "Stop serving replicas?",
      text:
        `${who} None can connect until serving is started again; it stays stopped when kingbus is restarted. kingbus goes on following its source.`,
      confirm: "Stop serving",
      isDangerous: true,
      run: async () => {
        await askAdmin(this.#token, "PUT", "binlog/server/stop");
        return "Serving was stopped";
      },
    });
  }

  #whyOff() {
    if (!this.#isLive()) return NOT_LIVE;
    return this.#hasNoToken ? NO_TOKEN : "";
  }

  get #hasNoToken() {
    return this.#status?.admin_token === false;
  }

  /**
   * A button that does nothing says why.
   *
   * @param {Event} event
   */
  #explain(event) {
    if (this.#off === "" || !(event.target instanceof Element)) return;
    if (event.target.closest("[data-action]") === null) return;
    event.stopPropagation();
    this.#dialog.open({
      title: "Not possible now",
      text: this.#off,
      confirm: "Close",
    });
  }

  /**
   * @param {string} id
   * @param {() => void} run
   */
  #on(id, run) {
    byId(id, HTMLButtonElement).addEventListener("click", run);
  }
}
