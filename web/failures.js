// What can go wrong, and what the page says then. Nothing else may reach the reader as an error: what has no entry
// `failure.*` in languages/en.json is a bug, and says so.

import { say } from './language.js';

/** Those that may be gone at the next try. */
const PASSING = new Set(['download', 'mixed', 'memory']);

/** Something that the reader can understand: the text `failure.KIND`, filled in with `details`. */
export class Failure extends Error {
  constructor(kind, details = {}) {
    super(say(`failure.${kind}`, details));
    this.kind = kind;
    this.details = details;
    this.canPass = PASSING.has(kind);
  }
}

/** `error` as a Failure; `doing` says during what, a text as "while the guide was opened". Anything unforeseen keeps its own words. */
export function explain(error, doing) {
  if (error instanceof Failure) return error;
  // What engines throw when an array, a WebAssembly memory or a texture cannot be had.
  if (error instanceof RangeError || /out of memory|allocat/i.test(error?.message)) return new Failure('memory', { doing });
  console.error(error);
  const unforeseen = new Error(say('failure.unforeseen', { doing, reason: error?.message ?? error }));
  return Object.assign(unforeseen, { kind: 'unforeseen', canPass: true });
}
