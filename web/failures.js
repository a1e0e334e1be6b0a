// What can go wrong, as a kind and its details: so it crosses from a worker to the page, which says it in the reader's
// language. What has no entry `failure.*` in languages/en.json is a bug, and says so.

import { later } from './later.js';

/** Those that may be gone at the next try. */
const PASSING = new Set(['download', 'mixed', 'memory', 'unforeseen']);

/** Something that the reader can understand: the text `failure.KIND`, filled in with `details`. */
export class Failure extends Error {
  constructor(kind, details = {}) {
    super([kind, ...Object.values(details).filter((detail) => typeof detail === 'string')].join(': '));
    this.kind = kind;
    this.details = details;
    this.canPass = PASSING.has(kind);
  }

  /** What the page says of it. */
  get text() {
    return later(`failure.${this.kind}`, this.details);
  }
}

/**
 * `error` as a Failure. Anything unforeseen keeps its own words.
 * @param {string} doing key of the text that says during what, as "while the guide was opened"
 */
export function explain(error, doing) {
  if (error instanceof Failure) return error;
  // What engines throw when an array, a WebAssembly memory or a texture cannot be had.
  if (error?.name === 'RangeError' || /out of memory|allocat/i.test(error?.message)) return new Failure('memory', { doing: later(doing) });
  console.error(error);
  return new Failure('unforeseen', { doing: later(doing), reason: String(error?.message ?? error) });
}

/** `error` as a message between threads can hold it. */
export function pack(error) {
  if (error instanceof Failure) return { kind: error.kind, details: error.details };
  return { name: error?.name, message: String(error?.message ?? error), stack: error?.stack };
}

/** The error that was packed. */
export function unpack({ kind, details, message, ...rest }) {
  return kind ? new Failure(kind, details) : Object.assign(new Error(message), rest);
}
