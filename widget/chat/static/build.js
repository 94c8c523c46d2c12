/** Builds elements. Text goes in as text nodes only: nothing here parses markup. */

/** @typedef {Node | string | null | undefined | false} Child */
/** @typedef {(name: string, attributes?: Record<string, string | number | boolean | null | undefined>, ...children: Child[]) => HTMLElement} Make */

/**
 * Gives a function that makes an element with attributes and children; attributes that are false, null or undefined are left out.
 * @param {Document} document @returns {Make}
 */
export function maker(document) {
  return (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value === true ? "" : String(value));
    }
    for (const child of children) if (child) element.append(child);
    return element;
  };
}

/** Sets an attribute only where it differs, so that nothing is announced or restyled for no reason. @param {Element} element @param {string} key @param {string | boolean | null} value */
export function set(element, key, value) {
  if (value === false || value === null) element.removeAttribute(key);
  else if (element.getAttribute(key) !== String(value === true ? "" : value)) element.setAttribute(key, value === true ? "" : value);
}

/** Sets the words of an element only where they differ. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
