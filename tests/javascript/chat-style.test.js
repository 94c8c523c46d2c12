/** The look. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { DARK, LIGHT, STYLE } from "../../widget/chat/static/chat-style.js";

const tokens = await readFile(new URL("../../widget/static/tokens.css", import.meta.url), "utf8");

for (const [scheme, values, sheet] of [
  ["light", LIGHT, tokens.split("@media")[0]],
  ["dark", DARK, tokens.split("@media")[1]],
]) {
  test(`on a foreign page the ${scheme} colours are those of the kit's own pages`, () => {
    for (const [name, value] of Object.entries(values)) assert.ok(sheet.includes(`--td-${name}: ${value};`), `${name}: ${value}`);
  });
}

test("light and dark name the same properties", () => {
  assert.deepEqual(Object.keys(LIGHT), Object.keys(DARK));
});

test("a page can override every colour", () => {
  for (const name of Object.keys(LIGHT)) assert.ok(STYLE.includes(`--${name}: var(--td-${name}, `));
});

test("no size hangs on the root of a foreign page, and nothing is fetched", () => {
  assert.doesNotMatch(STYLE, /\d(rem)\b|url\(|@import/);
});
