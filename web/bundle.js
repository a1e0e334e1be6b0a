// The files of this guide, as bundle.json lists them: downloaded with a count of the bytes, and checked by their digests, so
// that files of two exports never meet.

import { Failure } from './failures.js';
import { later } from './later.js';
import { PACKED, unpack } from './packed.js';

/** The address of a file of the bundle: beside the page, in whatever folder that lies. */
export const addressOf = (file) => new URL(file, document.baseURI).href;

/**
 * Read bundle.json.
 * @returns {Promise<Bundle>}
 */
export async function openBundle() {
  const response = await request('bundle.json', 'no-cache');
  try {
    const list = await response.arrayBuffer();
    return new Bundle(JSON.parse(new TextDecoder().decode(list)).files, await digest(list));
  } catch {
    throw new Failure('mixed', { file: 'bundle.json' });
  }
}

class Bundle {
  #downloads = new Map();
  #counted = { done: 0, total: 0 };
  #stopping = new AbortController();

  /**
   * @param {BundleFiles} files
   * @param {string} version the SHA-256 of bundle.json, empty where this browser cannot tell
   */
  constructor(files, version) {
    /** By what a file is when it is unpacked; `file` is its name on the server. */
    this.files = Object.fromEntries(
      Object.entries(files).map(([file, known]) => [file.endsWith(PACKED) ? file.slice(0, -PACKED.length) : file, { ...known, file }]),
    );
    this.version = version;
    /** @type {(counted: {done: number, total: number}) => void} told of every part that came, in bytes */
    this.onProgress = () => {};
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

  /** Give up the downloads that still run. */
  stop() {
    this.onProgress = () => {};
    this.#stopping.abort();
    this.#stopping = new AbortController();
  }

  /** Let go of the bytes that were read, now that all that had to be waited for is here. */
  forget() {
    this.onProgress = () => {};
    this.#downloads.clear();
  }

  async readJson(file) {
    return JSON.parse(new TextDecoder().decode(await this.read(file)));
  }

  async #download(name) {
    const known = this.files[name];
    if (!known) throw new Failure('mixed', { file: name });
    const { file } = known;
    this.#count(0, known.bytes);
    // The second time past the browser's own cache, which may hold the file of an earlier export, or that it was missing.
    let failure;
    for (const cache of /** @type {RequestCache[]} */ (['default', 'reload'])) {
      try {
        const bytes = await this.#receive(file, cache);
        const content = (await matches(bytes, known)) && (file === name ? bytes : await unpack(bytes).catch(() => null));
        if (content) return content;
        this.#count(-bytes.byteLength, 0);
        failure = new Failure('mixed', { file });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /**
   * @param {string} file
   * @param {RequestCache} cache
   */
  async #receive(file, cache) {
    const response = await request(file, cache, this.#stopping.signal);
    const parts = [];
    try {
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        this.#count(value.length, 0);
      }
    } catch (error) {
      throw new Failure('download', { file, reason: error.message });
    }
    return new Blob(parts).arrayBuffer();
  }

  #count(done, total) {
    this.#counted.done += done;
    this.#counted.total += total;
    this.onProgress(this.#counted);
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
