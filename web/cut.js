// A part of a photo as a photo of its own, so that whatever looks at photos needs to know nothing of boxes.

import { cutOut, isWhole } from './box.js';
import { decode, makeCanvas } from './photo.js';
import { resize } from './pillow_resize.js';

const MAX_PIXELS = 16e6; // of a canvas, on a phone

/**
 * That part of a photo as a photo: its very pixels in a PNG, or shrunk where no canvas is that large.
 * @param {Blob & {name?: string}} file
 * @param {import('./box.js').Box} box
 * @returns {Promise<Blob>} `file` itself where the box is all of it
 */
export async function cutPhoto(file, box) {
  if (isWhole(box)) return file;
  let part = cutOut(await decode(file), box);
  const shrink = Math.sqrt(MAX_PIXELS / (part.width * part.height));
  if (shrink < 1) part = resize(part, Math.floor(part.width * shrink), Math.floor(part.height * shrink));
  /** @type {any} */
  const canvas = makeCanvas(part.width, part.height);
  canvas.getContext('2d').putImageData(withAlpha(part), 0, 0);
  const png = await (canvas.convertToBlob?.({ type: 'image/png' }) ?? new Promise((resolve) => canvas.toBlob(resolve, 'image/png')));
  return new File([png], file.name ?? '', { type: 'image/png' });
}

function withAlpha({ data, width, height }) {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    image.data[to] = data[from];
    image.data[to + 1] = data[from + 1];
    image.data[to + 2] = data[from + 2];
    image.data[to + 3] = 255;
  }
  return image;
}
