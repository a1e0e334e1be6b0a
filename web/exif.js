// Where and when a photo was taken, as cameras write it into their files (EXIF). It is read here and goes nowhere.

import { loadView } from 'exifreader';
import { NOTHING } from './occasion.js';

/**
 * @param {Blob} file
 * @returns {Promise<import('./occasion.js').Told>}
 */
export async function readOccasion(file) {
  try {
    const { exif, gps } = loadView(new DataView(await file.arrayBuffer()), { expanded: true });
    return { ...NOTHING, ...readPlace(gps), ...readTime(exif?.DateTimeOriginal?.value) };
  } catch {
    return NOTHING; // tags that make no sense are none
  }
}

/** @returns {Partial<import('./occasion.js').Told>} 0° N, 0° E is what receivers write that found nothing */
function readPlace(/** @type {{Latitude?: number, Longitude?: number}} */ { Latitude: latitude, Longitude: longitude } = {}) {
  const isPlace = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && (latitude || longitude);
  return isPlace ? { latitude, longitude } : {};
}

/** @returns {Partial<import('./occasion.js').Told>} */
function readTime(value) {
  const [, year, digits, day, time] = /^(\d{4}):(\d\d):(\d\d)(?: (\d\d:\d\d:\d\d))?/.exec(value?.[0]) ?? [];
  const month = Number(digits);
  if (!(month >= 1 && month <= 12)) return {};
  const taken = `${year}-${digits}-${day}T${time}`;
  return { month, taken: Number.isNaN(Date.parse(taken)) ? null : taken };
}
