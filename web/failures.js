// What can go wrong, and what the page says then. Nothing else may reach the reader as an error: what has no entry
// `failure.*` in languages/en.json is a bug, and says so.

import { later, said } from './language.js';

/** Those that may be gone at the next try. */
const PASSING = new Set(['download', 'mixed', 'memory', 'unforeseen']);

/** Something that the reader can understand: the text `failure.KIND`, filled in with `details`. */
export class Failure extends Error {
  constructor(kind, details = {}) {
    super();
    this.kind = kind;
    this.details = details;
    this.canPass = PASSING.has(kind);
  }

  /** @returns {import('./language.js').Later} */
  get text() {
    return later(`failure.${this.kind}`, this.details);
  }

  /** In the language that is spoken now. */
  get message() {
    return said(this.text);
  }
}

/**
 * `error` as a Failure. Anything unforeseen keeps its own words.
 * @param {string} doing key of the text that says during what, as "while the guide was opened"
 */
export function explain(error, doing) {
  if (error instanceof Failure) return error;
  // What engines throw when an array, a WebAssembly memory or a texture cannot be had.
  if (error instanceof RangeError || /out of memory|allocat/i.test(error?.message)) return new Failure('memory', { doing: later(doing) });
  console.error(error);
  return new Failure('unforeseen', { doing: later(doing), reason: String(error?.message ?? error) });
}
