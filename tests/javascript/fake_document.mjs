/** Just enough of a document to see which elements would be built: no parser, so nothing in it could be one. */

export class FakeElement {
  attributes = {};
  children = [];

  constructor(name) {
    this.name = name;
  }

  setAttribute(key, value) {
    this.attributes[key] = value;
  }

  append(child) {
    this.children.push(child);
  }

  /** Markup-like form for reading in tests. */
  toString() {
    const attributes = Object.entries(this.attributes).map(([key, value]) => ` ${key}="${value}"`);
    return `<${this.name}${attributes.join("")}>${this.children.join("")}</${this.name}>`;
  }
}

export const fakeDocument = { createElement: (name) => new FakeElement(name) };
