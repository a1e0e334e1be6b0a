// A photo as the notebook keeps it: a JPEG of moderate size with nothing in it but the picture.

import { openBitmap } from './photo.js';

const MAX_SIDE = 1600; // pixels
const QUALITY = 0.85;

/**
 * The photo in `file`, upright, its longer side at most 1600 px, without EXIF: neither place nor serial number is in it.
 * @param {Blob} file
 * @returns {Promise<Blob>} image/jpeg
 */
export async function shrink(file) {
  const whole = await openBitmap(file);
  const canvas = document.createElement('canvas');
  try {
    const scale = Math.min(1, MAX_SIDE / Math.max(whole.width, whole.height));
    canvas.width = Math.max(1, Math.round(whole.width * scale));
    canvas.height = Math.max(1, Math.round(whole.height * scale));
    const context = canvas.getContext('2d');
    context.fillStyle = '#fff'; // below what is transparent
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingQuality = 'high';
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    const photo = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
    if (!photo) throw new RangeError('no room for the photo'); // what `explain` takes for a lack of memory
    return photo;
  } finally {
    whole.close();
    canvas.width = canvas.height = 0;
  }
}
