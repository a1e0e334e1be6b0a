// From a photo to the numbers that the model wants, step for step as the pipeline did it (fieldguide/images/geometry.py
// and the evaluation preprocessing in docs/formats.md). Images are {data: Uint8Array RGB, width, height}.

import { resize } from './pillow_resize.js';

/**
 * Which part of a photo is resized to which size, and where that goes in a square of `size` px.
 * @returns {{source: number[], target: number[]}} boxes of left, top, right, bottom
 */
export function place(width, height, size, method) {
  const whole = [0, 0, width, height];
  if (method === 'squash') return { source: whole, target: [0, 0, size, size] };
  if (method === 'crop') {
    const side = Math.min(width, height);
    const left = Math.floor((width - side) / 2);
    const top = Math.floor((height - side) / 2);
    return { source: [left, top, left + side, top + side], target: [0, 0, size, size] };
  }
  const longer = Math.max(width, height);
  const [targetWidth, targetHeight] = [width, height].map((side) =>
    Math.max(1, Math.floor((2 * side * size + longer) / (2 * longer))),
  );
  const left = Math.floor((size - targetWidth) / 2);
  const top = Math.floor((size - targetHeight) / 2);
  return { source: whole, target: [left, top, left + targetWidth, top + targetHeight] };
}

/** `image` as a square of `size` px: padded with `color`, cropped or squashed. */
export function makeSquare(image, size, method, color) {
  const { source, target } = place(image.width, image.height, size, method);
  const [left, top, right, bottom] = target;
  const inner = resize(image, right - left, bottom - top, source);
  if (inner.width === size && inner.height === size) return inner;
  const data = new Uint8Array(size * size * 3);
  for (let i = 0; i < data.length; i++) data[i] = color[i % 3];
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(y * inner.width * 3, (y + 1) * inner.width * 3);
    data.set(row, ((top + y) * size + left) * 3);
  }
  return { data, width: size, height: size };
}

/** (byte / 255 - mean) / std in 32-bit floats: Float32Array [height * width * 3]. */
export function normalise(image, mean, std) {
  const table = mean.map((center, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) =>
      Math.fround(Math.fround(Math.fround(byte / 255) - Math.fround(center)) / Math.fround(std[channel])),
    ),
  );
  return Float32Array.from(image.data, (byte, i) => table[i % 3][byte]);
}

/** The model's input for a square of the size that the training records have. */
export function prepareRecord(square, { image_size: size, mean, std }) {
  return normalise(square.width === size ? square : resize(square, size, size), mean, std);
}

/** The model's input for any photo: first the square that the records hold, then the model's own size. */
export function preparePhoto(photo, settings) {
  return prepareRecord(makeSquare(photo, settings.record_size, settings.method, settings.pad_color), settings);
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
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      data.set([(x * 255) / (size - 1), (y * 255) / (size - 1), ((x + y) * 127) / (size - 1)], (y * size + x) * 3);
    }
  }
  return { data, width: size, height: size };
}
