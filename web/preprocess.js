// From a photo to the numbers that the model wants, step for step as the pipeline did it (fieldguide/images/geometry.py,
// square.py and the evaluation preprocessing in docs/formats.md). Images are {data: Uint8Array RGB, width, height}.

import { resize } from './pillow_resize.js';

/**
 * How a photo becomes a square.
 * @typedef {{size: number, method: 'pad'|'crop'|'squash', upscale: boolean, fill: 'color'|'mean'|'edge'|'reflect',
 *   color: number[]}} Layout
 * `size` in px; `color` is that of the fill `color`
 */

/**
 * The layout of the training records' squares, from preprocessing.json.
 * @param {Settings} settings
 * @returns {Layout}
 */
export function layoutOf({ record_size: size, method, upscale, pad_fill: fill, pad_color: color }) {
  return { size, method, upscale, fill, color };
}

/**
 * Which part of a photo is resized to which size, and where that goes in the square.
 * @param {number} width px
 * @param {number} height px
 * @param {Layout} layout
 * @returns {{source: number[], target: number[]}} boxes of left, top, right, bottom
 */
export function place(width, height, layout) {
  if (layout.method !== 'crop') return { source: [0, 0, width, height], target: center(width, height, layout) };
  const side = Math.min(width, height);
  const left = Math.floor((width - side) / 2);
  const top = Math.floor((height - side) / 2);
  return { source: [left, top, left + side, top + side], target: center(side, side, layout) };
}

/** The middle of the square that `width` x `height` px fill once they are resized. */
function center(width, height, { size, method, upscale }) {
  const longer = Math.max(width, height);
  const scaled = (side) => {
    if (method === 'squash') return upscale ? size : Math.min(side, size);
    if (longer <= size && !upscale) return side;
    return Math.max(1, Math.floor((2 * side * size + longer) / (2 * longer)));
  };
  const [across, down] = [scaled(width), scaled(height)];
  const [left, top] = [Math.floor((size - across) / 2), Math.floor((size - down) / 2)];
  return [left, top, left + across, top + down];
}

/** `image` as a square: resized, and the rest filled. */
export function makeSquare(image, layout) {
  const { size } = layout;
  const { source, target } = place(image.width, image.height, layout);
  const [left, top, right, bottom] = target;
  const inner = resize(image, right - left, bottom - top, source);
  if (inner.width === size && inner.height === size) return inner;
  if (layout.fill === 'edge' || layout.fill === 'reflect') return spread(inner, left, top, layout);
  const color = layout.fill === 'mean' ? meanOf(inner) : layout.color;
  const data = new Uint8Array(size * size * 3);
  for (let i = 0; i < data.length; i++) data[i] = color[i % 3];
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(y * inner.width * 3, (y + 1) * inner.width * 3);
    data.set(row, ((top + y) * size + left) * 3);
  }
  return { data, width: size, height: size };
}

/** The mean of each channel; halves round up. */
function meanOf({ data }) {
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i++) sums[i % 3] += data[i];
  const pixels = data.length / 3;
  return sums.map((sum) => Math.floor((2 * sum + pixels) / (2 * pixels)));
}

/** A square in which `image` lies at `left`, `top` and its own pixels go on around it. */
function spread(image, left, top, { size, fill }) {
  const columns = placesOf(left, image.width, size, fill);
  const rows = placesOf(top, image.height, size, fill);
  const data = new Uint8Array(size * size * 3);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      const from = (row * image.width + column) * 3;
      data[to++] = image.data[from];
      data[to++] = image.data[from + 1];
      data[to++] = image.data[from + 2];
    }
  }
  return { data, width: size, height: size };
}

/** Which row (or column) of `length` shows at each place of the square, where the first lies at `start`. */
function placesOf(start, length, size, fill) {
  const period = 2 * (length - 1); // to the last row and back again, without those at the turns a second time
  return Array.from({ length: size }, (_, i) => {
    const place = i - start;
    if (fill === 'edge' || length === 1) return Math.min(Math.max(place, 0), length - 1);
    const folded = ((place % period) + period) % period;
    return Math.min(folded, period - folded);
  });
}

/** (byte / 255 - mean) / std in 32-bit floats: Float32Array [height * width * 3]. */
export function normalise(image, mean, std) {
  const table = mean.map((center, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) =>
      Math.fround(Math.fround(Math.fround(byte / 255) - Math.fround(center)) / Math.fround(std[channel])),
    ),
  );
  const values = new Float32Array(image.data.length);
  for (let i = 0; i < values.length; i += 3) {
    values[i] = table[0][image.data[i]];
    values[i + 1] = table[1][image.data[i + 1]];
    values[i + 2] = table[2][image.data[i + 2]];
  }
  return values;
}

/** The model's input for a square of the size that the training records have. */
export function prepareRecord(square, { image_size: size, mean, std }) {
  return normalise(square.width === size ? square : resize(square, size, size), mean, std);
}

/**
 * The model's input for any photo: first the square that the records hold, then the model's own size.
 * @param {RgbImage} photo
 * @param {Settings} settings
 */
export function preparePhoto(photo, settings) {
  return prepareRecord(makeSquare(photo, layoutOf(settings)), settings);
}

/** RGBA as a canvas gives it, over white: transparency becomes white as in the pipeline. */
export function overWhite({ data, width, height }) {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    const alpha = data[from + 3];
    for (let channel = 0; channel < 3; channel++) {
      rgb[to++] = alpha === 255 ? data[from + channel] : Math.round((data[from + channel] * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { data: rgb, width, height };
}

/** A colour gradient whose answer is known from the export: what a backend has to prove itself on. */
export function testSquare(size) {
  const data = new Uint8Array(size * size * 3);
  let to = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      data[to++] = (x * 255) / (size - 1);
      data[to++] = (y * 255) / (size - 1);
      data[to++] = ((x + y) * 127) / (size - 1);
    }
  }
  return { data, width: size, height: size };
}
