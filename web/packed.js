// Files that the export packs, as a host compresses texts at best: gzip, by an ending that no server takes for an encoding of
// its own.

import { gunzipSync } from 'fflate';

export const PACKED = '.gzip';

/**
 * What was packed.
 * @param {BlobPart} bytes
 * @returns {Promise<ArrayBuffer>}
 */
export async function unpack(bytes) {
  const blob = new Blob([bytes]);
  if (typeof DecompressionStream === 'undefined') return gunzipSync(new Uint8Array(await blob.arrayBuffer())).slice().buffer;
  return new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
}
