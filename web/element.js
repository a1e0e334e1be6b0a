// The page's elements: the one with an id, and new ones.

/** @type {(id: string) => any} */
export const at = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {object} properties as `className`, `textContent`, `hidden`
 * @param {...(Node|string)} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
