// A file that somebody chose, as pixels: upright, in sRGB, over white. Or the reason why that cannot be done.

import { Failure } from './failures.js';
import { later } from './later.js';
import { overWhite } from './preprocess.js';

const letters = (bytes, start, end) => String.fromCharCode(...bytes.subarray(start, end));
const begins = (...wanted) => (bytes) => wanted.every((byte, i) => bytes[i] === byte);
const brand = (...wanted) => (bytes) => letters(bytes, 4, 8) === 'ftyp' && wanted.includes(letters(bytes, 8, 12));

// By their first bytes, whatever the name says. `everywhere`: any browser opens it, so a failure is the file's. `opaque`: it
// has no transparency. `end`: the last bytes, without which browsers refuse pixels that are all there.
const FORMATS = [
  { format: 'JPEG', is: begins(0xff, 0xd8, 0xff), everywhere: true, opaque: true, end: [0xff, 0xd9] },
  { format: 'PNG', is: begins(0x89, 0x50, 0x4e, 0x47), everywhere: true },
  { format: 'GIF', is: (bytes) => letters(bytes, 0, 4) === 'GIF8', everywhere: true },
  { format: 'WebP', is: (bytes) => letters(bytes, 0, 4) === 'RIFF' && letters(bytes, 8, 12) === 'WEBP', everywhere: true },
  { format: 'BMP', is: begins(0x42, 0x4d), everywhere: true },
  { format: 'AVIF', is: brand('avif', 'avis') },
  { format: 'HEIC', is: brand('heic', 'heix', 'hevc', 'heim', 'heis', 'mif1', 'msf1') },
  { format: 'camera raw', is: brand('crx ') },
  { format: 'camera raw', is: (bytes) => letters(bytes, 0, 8) === 'FUJIFILM' || letters(bytes, 8, 10) === 'CR' },
  { format: 'TIFF or camera raw', is: begins(0x49, 0x49, 0x2a, 0x00) },
  { format: 'TIFF or camera raw', is: begins(0x4d, 0x4d, 0x00, 0x2a) },
  { format: 'JPEG XL', is: begins(0xff, 0x0a) },
  { format: 'JPEG XL', is: begins(0x00, 0x00, 0x00, 0x0c, 0x4a, 0x58, 0x4c, 0x20) },
  { format: 'JPEG 2000', is: begins(0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50) },
  { format: 'Photoshop', is: (bytes) => letters(bytes, 0, 4) === '8BPS' },
];

// A canvas past the browser's limit comes out blank without an error (Safari on a phone: 16.7 million px, and in sum over all
// canvases), so pixels are read through one small canvas, tile by tile.
const TILE = 2048;

// Photos above the first are shrunk at once, for their pixels alone would take 4 bytes each. The others are tried in turn
// where a larger bitmap cannot be had, or draws nothing.
const MAX_PIXELS = [50e6, 16e6, 4e6, 1e6];

/**
 * Decode an image file.
 * @param {Blob & {name?: string}} file
 * @returns {Promise<RgbImage>}
 * @throws {Failure}
 */
export async function decode(file) {
  const name = nameOf(file);
  const known = await identify(file, name);
  const whole = await openWhole(file, name, known);
  const { width, height } = whole;
  try {
    for (const limit of MAX_PIXELS) {
      const bitmap = await atMost(whole, limit).catch(() => null);
      if (!bitmap) continue;
      try {
        const photo = readPixels(bitmap, known?.opaque);
        if (photo) return photo;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error; // an array that large cannot be had
      } finally {
        if (bitmap !== whole) bitmap.close();
      }
    }
  } finally {
    whole.close();
  }
  if (width * height <= MAX_PIXELS.at(-1)) throw new Failure('blank', { name });
  throw new Failure('too-large', { name, size: `${width} × ${height} px` });
}

/** The bitmap of an image file, upright; perhaps smaller than it says. @throws {Failure} */
export async function openBitmap(file) {
  const name = nameOf(file);
  return openWhole(file, name, await identify(file, name));
}

const nameOf = (file) => file.name || later('failure.this-file');

/** What `file` says it is: an entry of FORMATS, or undefined. */
async function identify(file, name) {
  if (file.size === 0) throw new Failure('empty', { name });
  let head;
  try {
    head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  } catch (error) {
    throw new Failure('unreadable', { name, reason: error.message });
  }
  return FORMATS.find(({ is }) => is(head));
}

/** The bitmap of `file` as it is, or a shrunken one where the browser cannot hold that. */
async function openWhole(file, name, known) {
  // By default bitmaps are turned upright and converted from the profile that the file carries.
  const tries = [[file]];
  if (known?.end) tries.push([new Blob([file, Uint8Array.from(known.end)])]);
  if (known?.everywhere) for (const resizeWidth of [4096, 2048]) tries.push([file, { resizeWidth, resizeQuality: 'high' }]);
  for (const [source, options] of tries) {
    try {
      return await createImageBitmap(source, options);
    } catch {
      // The next one asks for less; what all of them say is the same "could not be decoded".
    }
  }
  if (!known) throw new Failure('not-an-image', { name });
  throw new Failure(known.everywhere ? 'damaged' : 'unknown-format', { name, format: known.format });
}

/** `bitmap` itself, or a copy of at most `pixels`. */
function atMost(bitmap, pixels) {
  const scale = Math.sqrt(pixels / (bitmap.width * bitmap.height));
  if (scale >= 1) return Promise.resolve(bitmap);
  const [resizeWidth, resizeHeight] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.floor(side * scale)));
  return createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: 'high' });
}

/** The pixels of a bitmap as RGB over white; null where the canvas stayed blank. */
function readPixels(bitmap, opaque) {
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height * 3);
  const canvas = makeCanvas(Math.min(TILE, width), Math.min(TILE, height));
  const context = canvas.getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (!context) return null;
  let anythingDrawn = false;
  try {
    for (let top = 0; top < height; top += TILE) {
      for (let left = 0; left < width; left += TILE) {
        const [across, down] = [Math.min(TILE, width - left), Math.min(TILE, height - top)];
        context.clearRect(0, 0, across, down);
        context.drawImage(bitmap, left, top, across, down, 0, 0, across, down);
        const tile = context.getImageData(0, 0, across, down);
        const drawn = isDrawn(tile.data);
        if (opaque && !drawn) return null;
        anythingDrawn ||= drawn;
        const rgb = overWhite(tile).data;
        for (let row = 0; row < down; row++) {
          data.set(rgb.subarray(row * across * 3, (row + 1) * across * 3), ((top + row) * width + left) * 3);
        }
      }
    }
  } finally {
    canvas.width = canvas.height = 0; // Safari frees a canvas only when its memory is wanted
  }
  return anythingDrawn ? { data, width, height } : null;
}

/** A canvas that nobody sees; a worker has but the first kind, some browsers but the second. */
export function makeCanvas(width, height) {
  if (typeof OffscreenCanvas !== 'undefined') return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement('canvas'), { width, height });
}

/** Whether any pixel is not wholly transparent. */
function isDrawn(rgba) {
  for (let at = 3; at < rgba.length; at += 4) if (rgba[at] !== 0) return true;
  return false;
}
