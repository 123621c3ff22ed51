/** Finding what `index.html` promises. */

/** The one element that matches; the page is broken without it. */
export function find<E extends Element>(root: ParentNode, selector: string, kind: new () => E): E {
  const element = root.querySelector(selector);
  if (element instanceof kind) return element;
  throw new Error(`index.html has no ${kind.name} at ${selector}`);
}

/** A fresh copy of the first element in a template. */
export function clone<E extends Element>(id: string, kind: new () => E): E {
  const copy = find(document, `template#${id}`, HTMLTemplateElement).content.firstElementChild?.cloneNode(true);
  if (copy instanceof kind) return copy;
  throw new Error(`the template ${id} holds no ${kind.name}`);
}

/** A text node of its own in the element, so that later writes touch nothing else. */
export function textIn(root: ParentNode, selector: string): Text {
  const text = document.createTextNode('');
  find(root, selector, HTMLElement).append(text);
  return text;
}

/** Writes only what differs: an equal write would still cost a layout. */
export function write(node: Text, value: string): void {
  if (node.data !== value) node.data = value;
}
