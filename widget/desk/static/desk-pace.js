/** When things are tried again, and how often they are done at most. */

const LONGEST_PAUSE_MS = 30_000;

/**
 * The pause before try number `failures` + 1: doubling, at most 30 s, spread by half so that many desks do not come back at once.
 * @param {number} failures how often it failed so far, from 1
 */
export function pauseMs(failures, firstPauseMs, random = Math.random) {
  const longest = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (failures - 1));
  return longest * (0.5 + random() / 2);
}

/** @param {number} ms @param {AbortSignal} [signal] ends the pause early */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

/**
 * A function that runs `work` at most once at a time; calls meanwhile make it run once more, not once each.
 * Where it fails it is tried again after a pause, until `isOver`.
 * @param {() => Promise<void>} work
 * @param {{firstPauseMs: number, isOver: () => boolean}} options
 * @returns {() => Promise<void>} settles when everything asked for so far was tried
 */
export function coalesced(work, { firstPauseMs, isOver }) {
  let running = null;
  let again = false;
  let failures = 0;
  let retry;

  const turn = async () => {
    clearTimeout(retry);
    do {
      again = false;
      try {
        await work();
        failures = 0;
      } catch (problem) {
        if (typeof problem?.status !== "number") throw problem; // a mistake of ours, not a failed call
        failures += 1;
      }
    } while (again && !failures);
    if (failures && !isOver()) retry = setTimeout(run, pauseMs(failures, firstPauseMs));
  };
  const run = () => {
    again = running !== null;
    running ??= turn().finally(() => {
      running = null;
    });
    return running;
  };
  return run;
}
