// Reads the files of a bundle from a folder in Node, as web/bundle.js reads them from a server.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** A function from a file's name to its bytes, an ArrayBuffer. */
export function readFromFolder(folder) {
  return async (file) => new Uint8Array(await readFile(path.join(folder, file))).buffer;
}
