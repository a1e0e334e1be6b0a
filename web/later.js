// Texts that are said later, in the language that is spoken then. They are plain data, so that a worker can send them.

/**
 * An entry of languages/en.json and what goes into it (language.js, `say`).
 * @typedef {{say: string, values: Object<string, string|number|Later>}} Later
 */

/** @returns {Later} */
export const later = (key, values = {}) => ({ say: key, values });
