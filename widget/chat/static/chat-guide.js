/**
 * Where in a guide a step stands. The kit writes it into the heading of the step, "2/5 · Check the cable", for every place that shows a message;
 * here it becomes a line of progress.
 *
 * @typedef {{number: number, of: number, title: string, rest: unknown[]}} GuidePlace
 */

const HEADING = /^(\d{1,3})\/(\d{1,3}) · (.+)$/s;

/**
 * The place that the first heading of a body tells, and the body without it; null where none is told.
 * @param {unknown} body @returns {GuidePlace | null}
 */
export function guidePlace(body) {
  if (!Array.isArray(body)) return null;
  const [heading, ...rest] = body;
  if (heading?.el !== "h3" && heading?.el !== "h4") return null;
  const [child] = Array.isArray(heading.children) ? heading.children : [heading];
  const found = HEADING.exec(String(child?.text ?? ""));
  if (!found) return null;
  const [number, of] = [Number(found[1]), Number(found[2])];
  return number >= 1 && number <= of ? { number, of, title: found[3], rest } : null;
}
