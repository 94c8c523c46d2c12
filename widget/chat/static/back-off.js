/** How long to wait before the next try. Pure. */

const FIRST_MS = 400;
/** A restart of the kit takes seconds: with 5 s at most, everyone is back soon after, and a quiet kit sees few tries. */
const MOST_MS = 5000;

/**
 * Gives the wait before try number `failures` + 1: doubling, at most 5 s, of which a random half is left out,
 * so that the customers of a kit that comes back do not all knock at once.
 * @param {number} failures how many tries failed, from 1
 * @param {{random?: () => number, first_ms?: number, most_ms?: number}} [how]
 * @returns {number} milliseconds
 */
export function backOff(failures, { random = Math.random, first_ms = FIRST_MS, most_ms = MOST_MS } = {}) {
  const whole = Math.min(most_ms, first_ms * 2 ** Math.min(failures - 1, 20));
  return Math.round(whole * (0.5 + 0.5 * random()));
}

/**
 * Waits; ends early when `signal` aborts or when the function handed to `early` is called.
 * @param {number} ms @param {AbortSignal} signal @param {(wake: () => void) => void} [early]
 * @returns {Promise<void>}
 */
export function pause(ms, signal, early) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    early?.(end);
    if (signal.aborted) end();
  });
}
