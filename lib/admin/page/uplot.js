// @ts-check
/**
 * The chart library. A browser gets the package's own module in the place of
 * this one (see page_assets.ts); this one is for who checks the page's types.
 *
 * @module
 */

/** uPlot, a chart on a canvas. */
export { default } from "uplot";
