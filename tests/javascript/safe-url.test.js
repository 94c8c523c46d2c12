/** The gate for addresses. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { safePictureUrl, safeUrl } from "../../widget/chat/static/safe-url.js";

const KIT = "https://kit.example/";

test("addresses that may be linked to", () => {
  assert.equal(safeUrl("/help/a?ref=c#b", KIT), "https://kit.example/help/a?ref=c#b");
  assert.equal(safeUrl("https://elsewhere.example/x", KIT), "https://elsewhere.example/x");
  assert.equal(safeUrl("mailto:support@hearthlink.example", KIT), "mailto:support@hearthlink.example");
  assert.equal(safeUrl("tel:+4930123", KIT), "tel:+4930123");
});

const BAD = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "\u0001javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>", "vbscript:x", "blob:https://kit.example/1", "file:///etc/passwd", "ftp://x.example/", "https://kit.example@evil.example/", "https://:secret@evil.example/", "http://", "", "  ", null, undefined, 4, {}];
for (const address of BAD) {
  test(`no link to ${JSON.stringify(address)}`, () => assert.equal(safeUrl(address, KIT), null));
}

test("a picture comes from the kit or not at all", () => {
  assert.equal(safePictureUrl("/help/media/a.svg", KIT), "https://kit.example/help/media/a.svg");
  for (const address of ["https://elsewhere.example/a.png", "//elsewhere.example/a.png", "data:image/svg+xml,<svg/>", "http://kit.example/a.png", null]) {
    assert.equal(safePictureUrl(address, KIT), null);
  }
});
