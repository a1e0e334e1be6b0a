// The files of this guide, as bundle.json lists them: downloaded with a count of the bytes, and checked by their digests, so
// that files of two exports never meet.

import { Failure } from './failures.js';
import { later } from './later.js';
import { PACKED } from './packed.js';

const LIST = 'bundle.json';

/** @typedef {(packed: ArrayBuffer) => Promise<?ArrayBuffer>} Unpack of files that travel packed (packed.js); null of what is damaged */

/** The address of a file of the bundle: beside the page, in whatever folder that lies. */
export const addressOf = (file) => new URL(file, document.baseURI).href;

/** The files that index.html asks for before any script runs. */
const preloaded = () =>
  Array.from(document.querySelectorAll('link[rel=preload][as=fetch]'), (link) => /** @type {HTMLLinkElement} */ (link).getAttribute('href'));

export class Bundle {
  #downloads = new Map();
  #early = new Map(); // bytes of files that index.html asked for, by their names on the server
  #progress = new Map(); // of each file, by the same names: {done, total}, in bytes
  #stopping = new AbortController();
  #opening = null;

  /**
   * @param {Unpack} unpack
   * @param {boolean} isAgain what came by index.html was of two exports: nothing of it is taken
   */
  constructor(unpack, isAgain = false) {
    this.unpack = unpack;
    /** By what a file is when it is unpacked; `file` is its name on the server. @type {Object<string, {file: string, bytes: number, sha256: string}>} */
    this.files = {};
    /** The SHA-256 of bundle.json, empty where this browser cannot tell. */
    this.version = '';
    /** @type {(counted: {done: number, total: number}) => void} told of every part that came, in bytes */
    this.onProgress = () => {};
    for (const file of isAgain ? [] : preloaded()) {
      const bytes = this.#receive(file, 'default', true);
      bytes.catch(() => {}); // whoever asks for it is told
      this.#early.set(file, bytes);
    }
  }

  /**
   * Read bundle.json, upon which all else can be read.
   * @throws {Failure}
   */
  open() {
    this.#opening ??= this.#readList();
    return this.#opening;
  }

  async #readList() {
    const list = await (this.#takeEarly(LIST) ?? this.#receive(LIST, 'no-cache'));
    try {
      /** @type {[string, {bytes: number, sha256: string}][]} */
      const files = Object.entries(JSON.parse(new TextDecoder().decode(list)).files);
      this.files = Object.fromEntries(
        files.map(([file, known]) => [file.endsWith(PACKED) ? file.slice(0, -PACKED.length) : file, { ...known, file }]),
      );
      this.version = await digest(list);
    } catch {
      throw new Failure('mixed', { file: LIST });
    }
  }

  /**
   * The bytes of one file as they came first, which may be those of another export: if not, `read` gives the same object.
   * @returns {Promise<ArrayBuffer>}
   */
  peek(file) {
    return this.#early.get(file) ?? this.read(file);
  }

  /**
   * The bytes of one file, unpacked. It is downloaded once, however often it is asked for.
   * @returns {Promise<ArrayBuffer>}
   * @throws {Failure}
   */
  read(file) {
    if (!this.#downloads.has(file)) {
      const download = this.#download(file);
      download.catch(() => this.#downloads.delete(file)); // it may be asked for again
      this.#downloads.set(file, download);
    }
    return this.#downloads.get(file);
  }

  /** Give up the downloads that still run, and begin no other. */
  stop() {
    this.onProgress = () => {};
    this.#stopping.abort();
  }

  /** Let go of the bytes that were read, now that all that had to be waited for is here. */
  forget() {
    this.onProgress = () => {};
    this.#downloads.clear();
    this.#early.clear();
  }

  async readJson(file) {
    return JSON.parse(new TextDecoder().decode(await this.read(file)));
  }

  async #download(name) {
    await this.open();
    const known = this.files[name];
    if (!known) throw new Failure('mixed', { file: name });
    const { file } = known;
    this.#count(file, 0, known.bytes);
    // The second time past the browser's own cache, which may hold the file of an earlier export, or that it was missing.
    let failure;
    for (const cache of /** @type {RequestCache[]} */ (['default', 'reload'])) {
      let bytes;
      try {
        bytes = await (this.#takeEarly(file) ?? this.#receive(file, cache));
      } catch (error) {
        failure = error;
        continue;
      }
      const content = (await matches(bytes, known)) && (file === name ? bytes : await this.unpack(bytes));
      if (content) return content;
      this.#count(file, -bytes.byteLength);
      failure = new Failure('mixed', { file });
    }
    throw failure;
  }

  #takeEarly(file) {
    const bytes = this.#early.get(file);
    this.#early.delete(file);
    return bytes;
  }

  /**
   * @param {string} file
   * @param {RequestCache} cache
   * @param {boolean} isLarge what makes the reader wait is counted as it comes
   */
  async #receive(file, cache, isLarge = false) {
    const response = await request(file, cache, this.#stopping.signal);
    try {
      return isLarge ? await this.#receiveParts(file, response) : await this.#receiveWhole(file, response);
    } catch (error) {
      throw new Failure('download', { file, reason: error.message });
    }
  }

  async #receiveWhole(file, response) {
    const bytes = await response.arrayBuffer();
    this.#count(file, bytes.byteLength);
    return bytes;
  }

  async #receiveParts(file, response) {
    const parts = [];
    let size = 0;
    try {
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        size += value.length;
        this.#count(file, value.length);
      }
    } catch (error) {
      this.#count(file, -size);
      throw error;
    }
    const bytes = new Uint8Array(size);
    let place = 0;
    for (const part of parts) {
      bytes.set(part, place);
      place += part.length;
    }
    return bytes.buffer;
  }

  /** Files that nobody asked for yet, or that are no part of the guide, have no total and do not count. */
  #count(file, more, total = this.#progress.get(file)?.total ?? 0) {
    this.#progress.set(file, { done: (this.#progress.get(file)?.done ?? 0) + more, total });
    const awaited = [...this.#progress.values()].filter((each) => each.total);
    const sum = (key) => awaited.reduce((all, each) => all + each[key], 0);
    if (total) this.onProgress({ done: sum('done'), total: sum('total') });
  }
}

/**
 * @param {string} file
 * @param {RequestCache} cache
 * @param {AbortSignal} [signal]
 */
async function request(file, cache, signal) {
  let response;
  try {
    response = await fetch(addressOf(file), { cache, signal });
  } catch (error) {
    throw new Failure('download', { file, reason: navigator.onLine ? error.message : later('failure.no-network') });
  }
  if (!response.ok) throw new Failure('download', { file, reason: later('failure.status', { status: response.status }) });
  return response;
}

async function matches(bytes, { bytes: expected, sha256 }) {
  if (bytes.byteLength !== expected) return false;
  const found = await digest(bytes);
  return !found || found === sha256; // without digests the size, and the model's self-test, are what is left
}

/** The SHA-256 in hexadecimal digits; empty on a page over plain http, where browsers have none. */
async function digest(bytes) {
  if (!globalThis.crypto?.subtle) return '';
  const found = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
