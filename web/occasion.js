// Where and when the photos of one subject were taken: what they say, and what the reader says instead.

/**
 * What a photo says; null for what it does not. `taken` is local time, as "2026-05-12T10:30:00".
 * @typedef {{latitude: ?number, longitude: ?number, month: ?number, taken: ?string}} Told
 *
 * @typedef {Told & {from: 'photo'|'device'|'map'|null}} Occasion `from`: who says the place
 */

/** @type {Told} */
export const NOTHING = { latitude: null, longitude: null, month: null, taken: null };

/**
 * @param {Told[]} told by the photos; the first that has a place says it, as the first that has a date
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
