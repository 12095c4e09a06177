import type { PageAsset } from "../asset_server.ts";
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import actionDialog from "./action_dialog.js" with { type: "text" };
import actions from "./actions.js" with { type: "text" };
import adminRequest from "./admin_request.js" with { type: "text" };
import adminToken from "./admin_token.js" with { type: "text" };
import announcer from "./announcer.js" with { type: "text" };
import backoff from "./backoff.js" with { type: "text" };
import chart from "./chart.js" with { type: "text" };
import chartsView from "./charts_view.js" with { type: "text" };
import connectionView from "./connection_view.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import eventParser from "./event_parser.js" with { type: "text" };
import fileList from "./file_list.js" with { type: "text" };
import filesView from "./files_view.js" with { type: "text" };
import format from "./format.js" with { type: "text" };
import gtidField from "./gtid_field.js" with { type: "text" };
import gtidSummary from "./gtid_summary.js" with { type: "text" };
import lagTone from "./lag_tone.js" with { type: "text" };
import logView from "./log_view.js" with { type: "text" };
import main from "./main.js" with { type: "text" };
import nodeView from "./node_view.js" with { type: "text" };
import notice from "./notice.js" with { type: "text" };
import orderRows from "./order_rows.js" with { type: "text" };
import pagedTable from "./paged_table.js" with { type: "text" };
import purgeForm from "./purge_form.js" with { type: "text" };
import replicaLag from "./replica_lag.js" with { type: "text" };
import replicaList from "./replica_list.js" with { type: "text" };
import replicaName from "./replica_name.js" with { type: "text" };
import replicasView from "./replicas_view.js" with { type: "text" };
import rowButton from "./row_button.js" with { type: "text" };
import serverClock from "./server_clock.js" with { type: "text" };
import serverView from "./server_view.js" with { type: "text" };
import sourceView from "./source_view.js" with { type: "text" };
import statusStream from "./status_stream.js" with { type: "text" };
import tokenDialog from "./token_dialog.js" with { type: "text" };
import warningsView from "./warnings_view.js" with { type: "text" };
import baseCss from "./base.css" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import statusCss from "./status.css" with { type: "text" };
import html from "./status.html" with { type: "text" };
import tableCss from "./table.css" with { type: "text" };

/** The page itself. */
export const PAGE_HTML: PageAsset = { mediaType: "text/html", text: html };

/**
 * What the page loads, by the name below `/page/`. Text that is part of the
 * program: no path of a request ever becomes one of the file system.
 */
export const PAGE_ASSETS: ReadonlyMap<string, PageAsset> = new Map([
  ["icon.svg", { mediaType: "image/svg+xml", text: icon }],
  ["base.css", { mediaType: "text/css", text: baseCss }],
  ["status.css", { mediaType: "text/css", text: statusCss }],
  ["table.css", { mediaType: "text/css", text: tableCss }],
  ["uplot.css", { mediaType: "text/css", text: uplotCss }],
  // In the place of uplot.js, which names the package it comes from.
  script("uplot.js", uplot),
  script("action_dialog.js", actionDialog),
  script("actions.js", actions),
  script("admin_request.js", adminRequest),
  script("admin_token.js", adminToken),
  script("announcer.js", announcer),
  script("backoff.js", backoff),
  script("chart.js", chart),
  script("charts_view.js", chartsView),
  script("connection_view.js", connectionView),
  script("dom.js", dom),
  script("event_parser.js", eventParser),
  script("file_list.js", fileList),
  script("files_view.js", filesView),
  script("format.js", format),
  script("gtid_field.js", gtidField),
  script("gtid_summary.js", gtidSummary),
  script("lag_tone.js", lagTone),
  script("log_view.js", logView),
  script("main.js", main),
  script("node_view.js", nodeView),
  script("notice.js", notice),
  script("order_rows.js", orderRows),
  script("paged_table.js", pagedTable),
  script("purge_form.js", purgeForm),
  script("replica_lag.js", replicaLag),
  script("replica_list.js", replicaList),
  script("replica_name.js", replicaName),
  script("replicas_view.js", replicasView),
  script("row_button.js", rowButton),
  script("server_clock.js", serverClock),
  script("server_view.js", serverView),
  script("source_view.js", sourceView),
  script("status_stream.js", statusStream),
  script("token_dialog.js", tokenDialog),
  script("warnings_view.js", warningsView),
]);

function script(name: string, text: string): [string, PageAsset] {
  return [name, { mediaType: "text/javascript", text }];
}
