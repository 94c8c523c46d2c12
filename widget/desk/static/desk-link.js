/** Keeps the live stream open while somebody is signed in, and says when it is not. */

import { pause, pauseMs } from "./desk-pace.js";

/** A connection that held for so many first pauses was a good one; a shorter one counts as a failure, or we would storm the kit. */
const STABLE_PAUSES = 5;

export class Link {
  /** @param {import("./desk-app.js").DeskApp} app @param {number} firstPauseMs */
  constructor(app, firstPauseMs) {
    this.app = app;
    this.firstPauseMs = firstPauseMs;
    /** @type {AbortController|null} */
    this.open = null;
    this.nap = new AbortController();
  }

  start() {
    this.stop();
    this.open = new AbortController();
    this.#keepOpen(this.open.signal);
  }

  stop() {
    this.open?.abort();
    this.open = null;
    this.hurry();
  }

  /** Try at once: the browser says that the network is back. */
  hurry() {
    this.nap.abort();
    this.nap = new AbortController();
  }

  /** The browser says that the network is gone; the stream itself would be silent for long before it broke. */
  lose() {
    if (!this.open) return;
    this.start();
    this.app.dispatch({ type: "link_changed", link: "lost" });
  }

  async #keepOpen(signal) {
    let failures = 0;
    while (!signal.aborted) {
      let openedAt = Infinity;
      try {
        await this.app.client.watch({
          signal,
          onOpen: () => {
            openedAt = this.app.now();
            this.app.dispatch({ type: "link_changed", link: "live" });
            this.hurry(); // what waits to be sent need not wait longer
            this.app.refreshAll();
          },
          onFrame: (frame) => signal.aborted || this.app.heard(frame),
        });
      } catch (problem) {
        if (signal.aborted) return;
        if (problem.status === 403) return this.app.refuse(problem);
        this.app.failed(problem, { silently: true });
      }
      if (signal.aborted) return;
      const lasted = this.app.now() - openedAt > STABLE_PAUSES * this.firstPauseMs;
      failures = lasted ? 1 : failures + 1;
      // One broken connection is no news; one that cannot be opened again is.
      if (failures > 1 && openedAt === Infinity) this.app.dispatch({ type: "link_changed", link: "lost" });
      await pause(pauseMs(failures, failures === 1 ? this.firstPauseMs / 10 : this.firstPauseMs), this.nap.signal);
    }
  }
}
