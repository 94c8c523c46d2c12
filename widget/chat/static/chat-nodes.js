/**
 * Turns the body of a message, a list of nodes from a closed list, into elements.
 *
 * The kit made the nodes from sanitised Markdown; this side trusts them no further than their names: an element that is not on the
 * list becomes its text, an address that is not safe becomes the words it stood on.
 *
 * @typedef {{el?: unknown, text?: unknown, href?: unknown, src?: unknown, alt?: unknown, children?: unknown}} BodyNode
 * @typedef {{make: import("./build.js").Make, kit: string}} How
 */

import { safePictureUrl, safeUrl } from "./safe-url.js";

const PLAIN = new Set(["p", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"]);
/** Deeper than any article; keeps a body that is nested without end from overflowing the stack. */
const DEEPEST = 24;

/** @param {unknown} nodes @param {How} how @returns {(Node | string)[]} */
export function buildBody(nodes, how) {
  const found = listOf(nodes);
  // Below the panel's own heading the first level to come is h3: a screen reader's list of headings has no gap then.
  const gap = !found.some((node) => node.el === "h3");
  return found.map((node) => buildNode(gap && node.el === "h4" ? { ...node, el: "h3" } : node, how, 0));
}

/** @param {BodyNode} node @param {How} how @param {number} depth @returns {Node | string} */
function buildNode(node, how, depth) {
  const { el } = node;
  if (el === "br") return how.make("br");
  if (el === "img") return picture(node, how);
  if (typeof el !== "string" || depth >= DEEPEST) return textOf(node);
  if (el === "a") return link(node, how, depth);
  if (el === "table") return how.make("div", { class: "wide", tabindex: 0 }, how.make("table", {}, ...inside(node, how, depth)));
  return PLAIN.has(el) ? how.make(el, {}, ...inside(node, how, depth)) : textOf(node);
}

/** @param {BodyNode} node @param {How} how @param {number} depth @returns {(Node | string)[]} */
function inside(node, how, depth) {
  if (node.children === undefined || node.children === null) return [wordsOf(node.text)];
  return listOf(node.children).map((child) => buildNode(child, how, depth + 1));
}

/** @param {BodyNode} node @param {How} how @param {number} depth */
function link(node, how, depth) {
  const href = safeUrl(node.href, how.kit);
  return href === null ? textOf(node) : how.make("a", { href, target: "_blank", rel: "noopener" }, ...inside(node, how, depth));
}

/** @param {BodyNode} node @param {How} how */
function picture(node, how) {
  const src = safePictureUrl(node.src, how.kit);
  return src === null ? wordsOf(node.alt) : how.make("img", { src, alt: wordsOf(node.alt), loading: "lazy", decoding: "async" });
}

/** All the words in a node, without its markup. @param {BodyNode} node @returns {string} */
function textOf(node) {
  /** @type {string[]} */
  const words = [];
  const waiting = [node];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    words.push(wordsOf(next.text) || wordsOf(next.alt));
    waiting.push(...listOf(next.children).reverse());
  }
  return words.join("");
}

/** @param {unknown} value @returns {string} */
function wordsOf(value) {
  return typeof value === "string" ? value : "";
}

/** @param {unknown} nodes @returns {BodyNode[]} */
function listOf(nodes) {
  return Array.isArray(nodes) ? nodes.filter((node) => node !== null && typeof node === "object") : [];
}
