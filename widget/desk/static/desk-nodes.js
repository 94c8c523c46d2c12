/** Making elements. Data becomes text or a checked attribute; markup is never parsed. */

/**
 * @param {string} name such as "button" or "p.lead"
 * @param {Record<string, any>} [attributes] `onclick` and its kin are listeners; false and null leave an attribute out, true sets it empty
 * @param {...(Node|string|number|null|false|undefined|(Node|string)[])} children
 */
export function h(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...present(children));
  return element;
}

function present(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false);
}

/** An address that may stand in a link: a path of the kit, a web page, a mail or phone number; else null. */
export function safeUrl(address, base = globalThis.location?.href) {
  if (typeof address !== "string") return null;
  try {
    const url = new URL(address, base);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link to another page; without a safe address the same words as plain text. */
export function outerLink(address, words, newTab) {
  const href = safeUrl(address);
  if (!href) return h("span", { dir: "auto" }, words);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, words, h("span.unseen", {}, ` ${newTab}`));
}

const ELEMENTS = new Set("p ul ol li strong em code pre a br blockquote h3 h4 text img table thead tbody tr th td".split(" "));

/**
 * Draw a message's body: a list of nodes from the closed list. Of an unknown node only its text is shown.
 * @param {{el: string, text?: string, href?: string, src?: string, alt?: string, children?: any[]}[]} nodes
 * @returns {Node[]}
 */
export function bodyNodes(nodes) {
  return nodes.flatMap((node) => {
    const inner = [...(node.text ? [document.createTextNode(String(node.text))] : []), ...bodyNodes(node.children ?? [])];
    return node.el === "text" || !ELEMENTS.has(node.el) ? inner : [drawn(node, inner)];
  });
}

/** A transcript's headings stand below that of the conversation, so the first level to come is h3. */
function level(el) {
  return el === "h4" ? "h3" : el;
}

function drawn(node, inner) {
  if (node.el === "img") return picture(node);
  if (node.el !== "a") return h(level(node.el), {}, ...inner);
  const href = safeUrl(node.href);
  return href ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...inner) : h("span", {}, ...inner);
}

function picture(node) {
  const src = safeUrl(node.src);
  const alt = String(node.alt ?? "");
  return src?.startsWith("http") ? h("img", { src, alt, loading: "lazy" }) : document.createTextNode(alt);
}

/** What each kept child says. @type {WeakMap<Element, {key: string, words: string}>} */
const kept = new WeakMap();

/**
 * Give `parent` one child per item, in order. A child whose item says the same as before stays the very element it was, with its focus and
 * scroll position; only what differs is made anew.
 * @template Item
 * @param {Element} parent
 * @param {Item[]} items
 * @param {{key: (item: Item) => string, says: (item: Item) => string, make: (item: Item) => HTMLElement}} how
 */
export function keepChildren(parent, items, { key, says, make }) {
  const before = new Map([...parent.children].map((child) => [kept.get(child)?.key, child]));
  const wanted = items.map((item) => {
    const [name, words] = [key(item), says(item)];
    const old = before.get(name);
    if (old && kept.get(old).words === words) return old;
    const made = make(item);
    kept.set(made, { key: name, words });
    if (old?.contains(document.activeElement)) queueMicrotask(() => returnFocus(made));
    return made;
  });
  const staying = new Set(wanted);
  for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

/** Focus what took the place of a focused element, unless the focus has gone on meanwhile. */
function returnFocus(element) {
  if (document.activeElement === document.body) element.querySelector("button, a")?.focus();
}
