// What can go wrong, as a kind and its details: so it crosses from a worker to the page, which says it in the reader's
// language (failure_text.js). What has no entry `failure.*` in languages/en.json is a bug, and says so.

/** Those that may be gone at the next try. */
const PASSING = new Set(['download', 'mixed', 'memory', 'unforeseen']);

/** A detail that is a text itself, said when the reader's language is known: an entry of languages/en.json and its values. */
export const text = (key, values = {}) => ({ key, values });

/** Something that the reader can understand: the text `failure.KIND`, filled in with `details`. */
export class Failure extends Error {
  constructor(kind, details = {}) {
    super([kind, ...Object.values(details).filter((detail) => typeof detail === 'string')].join(': '));
    this.kind = kind;
    this.details = details;
    this.canPass = PASSING.has(kind);
  }
}

/** `error` as a Failure; `doing` is the entry that says during what. Anything unforeseen keeps its own words. */
export function explain(error, doing) {
  if (error instanceof Failure) return error;
  // What engines throw when an array, a WebAssembly memory or a texture cannot be had.
  if (error?.name === 'RangeError' || /out of memory|allocat/i.test(error?.message)) return new Failure('memory', { doing: text(doing) });
  console.error(error);
  return new Failure('unforeseen', { doing: text(doing), reason: String(error?.message ?? error) });
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
