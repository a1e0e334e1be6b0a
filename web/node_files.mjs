// Reads the files of a bundle from a folder in Node, as web/bundle.js reads them from a server.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PACKED, unpack } from './packed.js';

/** A function from a file's name to its bytes, an ArrayBuffer, whether it is packed or not. */
export function readFromFolder(folder) {
  return async (name) => {
    const file = path.join(folder, name);
    if (existsSync(file + PACKED)) return unpack(await readFile(file + PACKED));
    return new Uint8Array(await readFile(file)).buffer;
  };
}
