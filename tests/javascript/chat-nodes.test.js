/** Bodies of messages become elements from a closed list, and nothing else. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { maker } from "../../widget/chat/static/build.js";
import { buildBody } from "../../widget/chat/static/chat-nodes.js";
import { fakeDocument } from "./fake_document.mjs";

const how = { make: maker(fakeDocument), kit: "https://kit.example/" };
const text = (words) => ({ el: "text", text: words });

function drawn(...nodes) {
  return buildBody(nodes, how).join("");
}

test("a paragraph with emphasis and code", () => {
  const node = { el: "p", children: [text("Open "), { el: "strong", children: [text("Devices")] }, text(" at "), { el: "code", text: "192.168.77.1" }] };
  assert.equal(drawn(node), "<p>Open <strong>Devices</strong> at <code>192.168.77.1</code></p>");
});

test("lists, headings, quotations, line breaks", () => {
  const list = { el: "ol", children: [{ el: "li", children: [text("one")] }, { el: "li", children: [text("two"), { el: "br" }] }] };
  assert.equal(drawn({ el: "h3", text: "Steps" }, list), "<h3>Steps</h3><ol><li>one</li><li>two<br></br></li></ol>");
});

test("the first level of headings is h3, whatever the article's was", () => {
  assert.equal(drawn({ el: "h4", text: "Steps" }), "<h3>Steps</h3>");
  assert.equal(drawn({ el: "h3", text: "Steps" }, { el: "h4", text: "One" }), "<h3>Steps</h3><h4>One</h4>");
});

test("a wide table can be scrolled with the keyboard", () => {
  const table = { el: "table", children: [{ el: "tbody", children: [{ el: "tr", children: [{ el: "td", text: "red" }] }] }] };
  assert.equal(drawn(table), '<div class="wide" tabindex="0"><table><tbody><tr><td>red</td></tr></tbody></table></div>');
});

test("links lead out in a tab of their own, paths lead to the kit", () => {
  assert.equal(drawn({ el: "a", href: "/help/x#y", children: [text("here")] }), '<a href="https://kit.example/help/x#y" target="_blank" rel="noopener">here</a>');
});

for (const el of ["script", "iframe", "style", "svg", "object", "form", "SCRIPT", "div", "__proto__", 7, null, undefined]) {
  test(`an element that is not on the list (${String(el)}) becomes its text`, () => {
    assert.equal(drawn({ el, children: [text("a"), { el: "strong", children: [text("b")] }] }), "ab");
  });
}

for (const href of ["javascript:alert(1)", "data:text/html,x", "vbscript:x", " javascript:alert(1)", "java\nscript:alert(1)", 5, undefined]) {
  test(`a link to ${JSON.stringify(href)} becomes its words`, () => {
    assert.equal(drawn({ el: "a", href, children: [text("press")] }), "press");
  });
}

test("attributes that are not on the list are never set", () => {
  assert.equal(drawn({ el: "p", onclick: "alert(1)", style: "x", class: "launcher", id: "message", children: [text("hm")] }), "<p>hm</p>");
});

test("markup in a text stays text", () => {
  assert.deepEqual(buildBody([{ el: "p", text: "<img src=x onerror=alert(1)>" }], how)[0].children, ["<img src=x onerror=alert(1)>"]);
});

test("pictures come from the kit only, others become their description", () => {
  assert.match(drawn({ el: "img", src: "/help/media/router.svg", alt: "The lights" }), /^<img src="https:\/\/kit.example\/help\/media\/router.svg" alt="The lights"/);
  assert.equal(drawn({ el: "img", src: "https://elsewhere.example/spy.gif", alt: "The lights" }), "The lights");
});

test("a body nested without end is cut to its text", () => {
  let node = text("deep");
  for (let depth = 0; depth < 5000; depth += 1) node = { el: "strong", children: [node] };
  const words = drawn(node);
  assert.ok(words.includes("deep"));
  assert.ok(words.split("<strong>").length < 30);
});

test("what is no list of nodes at all draws nothing", () => {
  for (const body of [null, undefined, "text", 3, {}, [null, "text", 3]]) assert.deepEqual(buildBody(body, how), []);
});
