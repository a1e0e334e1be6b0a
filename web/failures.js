// What can go wrong, and what the page says then. Nothing else may reach the reader as an error: what is not in this table
// is a bug, and says so.

const MESSAGES = {
  // the photo
  empty: (name) => `${name} is empty: it has no bytes.`,
  unreadable: (name, reason) => `${name} cannot be read from this device (${reason}). If it lies in a cloud, download it first.`,
  'not-an-image': (name) => `${name} is not an image. Choose a photo.`,
  'unknown-format': (name, format) => `This browser cannot open ${format} images. Save ${name} as JPEG, or try another browser.`,
  damaged: (name, format) => `${name} is a ${format} image, but it is damaged or cut short.`,
  'too-large': (name, size) => `${name} (${size}) is too large for the memory of this browser. Choose a smaller version of it.`,
  blank: (name) => `${name} comes out blank: either it shows nothing, or it is too large for this browser.`,
  // the guide
  download: (file, reason) => `${file} could not be downloaded (${reason}). Check the connection.`,
  mixed: (file) => `${file} is damaged, or the guide is being replaced on its server just now. Wait a minute.`,
  'wrong-model': (reason) => `The model is damaged: ${reason}.`,
  'no-backend': (reasons) => `No backend can run the model (${reasons}).`,
  memory: (what) => `This browser ran out of memory ${what}. Close other tabs or applications.`,
};

/** Those that may be gone at the next try. */
const PASSING = new Set(['download', 'mixed', 'memory']);

/** Something that the reader can understand. `kind` is a key of the table above, `details` are its arguments. */
export class Failure extends Error {
  constructor(kind, ...details) {
    super(MESSAGES[kind](...details));
    this.kind = kind;
    this.canPass = PASSING.has(kind);
  }
}

/** `error` as a Failure; `doing` says during what, as in "while opening the guide". Anything unforeseen keeps its own words. */
export function explain(error, doing) {
  if (error instanceof Failure) return error;
  // What engines throw when an array, a WebAssembly memory or a texture cannot be had.
  if (error instanceof RangeError || /out of memory|allocat/i.test(error?.message)) return new Failure('memory', doing);
  console.error(error);
  const unforeseen = new Error(`Something unforeseen went wrong ${doing}: ${error?.message ?? error}`);
  return Object.assign(unforeseen, { kind: 'unforeseen', canPass: true });
}
