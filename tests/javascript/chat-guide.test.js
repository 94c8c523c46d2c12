/** The heading of a guide's step tells its place. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { guidePlace } from "../../widget/chat/static/chat-guide.js";

const heading = (text, el = "h4") => ({ el, children: [{ el: "text", text }] });
const words = { el: "p", children: [{ el: "text", text: "Pull the plug." }] };

test("number, count and title are read, and the rest of the body stays", () => {
  assert.deepEqual(guidePlace([heading("2/5 · Check the cable"), words]), { number: 2, of: 5, title: "Check the cable", rest: [words] });
  assert.equal(guidePlace([{ el: "h3", text: "1/1 · Restart" }])?.title, "Restart");
});

for (const [what, body] of [
  ["nothing", undefined],
  ["an empty body", []],
  ["a body without heading", [words]],
  ["a heading that tells no place", [heading("Check the cable")]],
  ["a place behind the end", [heading("6/5 · Check the cable")]],
  ["a place before the beginning", [heading("0/5 · Check the cable")]],
  ["a paragraph that looks like one", [heading("2/5 · Check the cable", "p")]],
  ["something else than nodes", [null, "2/5 · Check the cable"]],
]) {
  test(`${what} has no place`, () => assert.equal(guidePlace(body), null));
}
