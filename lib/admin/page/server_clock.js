// @ts-check
/**
 * The time by kingbus's clock: what it says of times is meant by that, and the
 * clock of a phone may be wrong.
 */
export class ServerClock {
  #aheadMs = 0;

  /**
   * Sets it by what kingbus said just now.
   *
   * @param {string} iso RFC 3339
   */
  set(iso) {
    const time = Date.parse(iso);
    if (!Number.isNaN(time)) this.#aheadMs = time - Date.now();
  }

  /** @returns {Date} */
  now() {
    return new Date(Date.now() + this.#aheadMs);
  }

  /**
   * How long ago something was, in seconds; undefined if that is not known.
   *
   * @param {string | undefined} iso RFC 3339
   * @returns {number | undefined}
   */
  secondsSince(iso) {
    const time = iso === undefined ? NaN : Date.parse(iso);
    if (Number.isNaN(time)) return undefined;
    return Math.max(0, (this.now().getTime() - time) / 1000);
  }
}
