/** The few pictures of the widget, drawn in the colour of the text around them. */

const SVG = "http://www.w3.org/2000/svg";

/** Strokes on a field of 24 × 24. @type {Readonly<Record<string, string>>} */
const STROKES = Object.freeze({
  chat: "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5zM8.5 8.5h7M8.5 11.75h4.5",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  down: "M6 9.5l6 6 6-6",
  send: "M12 19V6M6 11.5L12 5.5l6 6",
  person: "M12 11.5a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5zM4.75 20c.6-3.6 3.5-5.75 7.25-5.75s6.65 2.15 7.25 5.75",
  book: "M6.5 4h9.5a2 2 0 0 1 2 2v14H7.5A1.5 1.5 0 0 1 6 18.5V4.5M6 18.5A1.5 1.5 0 0 1 7.5 17H18M9.5 8h5M9.5 11h3",
  out: "M9 7h8v8M17 7L7.5 16.5",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2",
  steps: "M10 6.5h9M10 12h9M10 17.5h9M5 6.5h.1M5 12h.1M5 17.5h.1",
});

/** @param {Document} document @param {string} name @returns {SVGSVGElement} */
export function icon(document, name) {
  const picture = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" })) picture.setAttribute(key, value);
  const stroke = document.createElementNS(SVG, "path");
  stroke.setAttribute("d", STROKES[name]);
  picture.append(stroke);
  return picture;
}
