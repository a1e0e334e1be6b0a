// The notebook as a Darwin Core Archive: a zip of tables and photos, which GBIF's tools and this project's `dwca` source read.

import { Zip, ZipDeflate, ZipPassThrough, strToU8 } from 'fflate';
import { photoNames, writeDarwinCore } from './notebook_tables.js';

/**
 * Zip finds with their photos, one photo in memory at a time.
 * @param {import('./notebook.js').Find[]} finds
 * @param {import('./notebook_tables.js').About} about
 * @returns {Promise<Blob>} application/zip
 */
export async function writeArchive(finds, about) {
  const parts = [];
  const zip = new Zip((error, part) => {
    if (error) throw error;
    parts.push(new Blob([/** @type {any} */ (part)])); // which the browser may put on disk
  });
  const add = (entry, bytes, time) => {
    entry.mtime = new Date(time);
    zip.add(entry);
    entry.push(bytes, true);
  };
  const now = new Date();
  for (const [name, text] of Object.entries(writeDarwinCore(finds, about))) add(new ZipDeflate(name), strToU8(text), now);
  for (const find of finds) {
    for (const [i, name] of photoNames(find).entries()) {
      add(new ZipPassThrough(name), new Uint8Array(await find.photos[i].arrayBuffer()), find.kept);
    }
  }
  zip.end();
  return new Blob(parts, { type: 'application/zip' });
}
