// Where and when the photos of one subject were taken: what they say, and what the reader says instead.

/**
 * @typedef {import('./exif.js').Told & {from: 'photo'|'device'|'map'|null}} Occasion `from`: who says the place
 */

/**
 * @param {import('./exif.js').Told[]} told by the photos; the first that has a place says it, as the first that has a date
 * @param {Partial<Occasion>} chosen by the reader, which counts more
 * @returns {Occasion}
 */
export function gather(told, chosen = {}) {
  const place = told.find(({ latitude }) => latitude != null);
  const time = told.find(({ month }) => month != null);
  const { latitude = null, longitude = null } = place ?? {};
  const { month = null, taken = null } = time ?? {};
  return { latitude, longitude, month, taken, from: place ? 'photo' : null, ...chosen };
}
