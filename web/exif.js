// Where and when a photo was taken, as cameras write it into JPEG files. It is read here and goes nowhere.

const [GPS, EXIF, TAKEN] = [0x8825, 0x8769, 0x9003];
const [LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE] = [1, 2, 3, 4];
const HEAD = 1 << 18; // bytes, among which the tags are
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8 }; // of types: byte, text, short, long, rational

/**
 * @param {Blob} file
 * @returns {Promise<{latitude: ?number, longitude: ?number, month: ?number, taken: ?string}>} null for what the file does not
 *   say; `taken` is local time, as "2026-05-12T10:30:00"
 */
export async function readOccasion(file) {
  const nothing = { latitude: null, longitude: null, month: null, taken: null };
  try {
    const tiff = findTags(new DataView(await file.slice(0, HEAD).arrayBuffer()));
    return tiff ? { ...nothing, ...understand(tiff) } : nothing;
  } catch {
    return nothing; // tags that make no sense are none
  }
}

/** The part of a JPEG that holds its tags, or null. */
function findTags(jpeg) {
  if (jpeg.byteLength < 4 || jpeg.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 10 < jpeg.byteLength; at += 2 + jpeg.getUint16(at + 2)) {
    const marker = jpeg.getUint16(at);
    if (marker === 0xffe1 && jpeg.getUint32(at + 4) === 0x45786966) return new DataView(jpeg.buffer, at + 10);
    if (marker >> 8 !== 0xff || marker === 0xffda) return null;
  }
  return null;
}

function understand(tiff) {
  const little = tiff.getUint16(0) === 0x4949;
  const first = readDirectory(tiff, tiff.getUint32(4, little), little);
  const gps = first.has(GPS) ? readDirectory(tiff, first.get(GPS)[0], little) : new Map();
  const exif = first.has(EXIF) ? readDirectory(tiff, first.get(EXIF)[0], little) : new Map();
  const latitude = degrees(gps.get(LATITUDE), gps.get(LATITUDE_REF), 'S', 90);
  const longitude = degrees(gps.get(LONGITUDE), gps.get(LONGITUDE_REF), 'W', 180);
  const time = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(exif.get(TAKEN) ?? '');
  const month = Number(/^\d{4}:(\d\d):/.exec(exif.get(TAKEN) ?? '')?.[1]);
  const taken = time && `${time[1]}-${time[2]}-${time[3]}T${time[4]}`;
  return {
    ...(latitude != null && longitude != null && (latitude || longitude) ? { latitude, longitude } : {}),
    ...(month >= 1 && month <= 12 ? { month } : {}),
    ...(taken && Date.parse(taken) ? { taken } : {}),
  };
}

/** The values of a directory's tags: a text, or a list of numbers. */
function readDirectory(tiff, start, little) {
  const values = new Map();
  const count = tiff.getUint16(start, little);
  for (let entry = start + 2; entry < start + 2 + 12 * count; entry += 12) {
    const type = tiff.getUint16(entry + 2, little);
    const length = tiff.getUint32(entry + 4, little);
    const size = SIZES[type];
    if (!size || length > 64) continue;
    const at = size * length > 4 ? tiff.getUint32(entry + 8, little) : entry + 8;
    const number = {
      1: (place) => tiff.getUint8(place),
      3: (place) => tiff.getUint16(place, little),
      4: (place) => tiff.getUint32(place, little),
      5: (place) => tiff.getUint32(place, little) / tiff.getUint32(place + 4, little),
    }[type];
    const places = Array.from({ length }, (_, i) => at + i * size);
    const text = () => String.fromCharCode(...places.map((place) => tiff.getUint8(place))).replace(/\0.*$/s, '');
    values.set(tiff.getUint16(entry, little), type === 2 ? text() : places.map(number));
  }
  return values;
}

/** Degrees, minutes and seconds as degrees; null where they are none. */
function degrees(parts, reference, negative, most) {
  if (parts?.length !== 3) return null;
  const value = (reference === negative ? -1 : 1) * (parts[0] + parts[1] / 60 + parts[2] / 3600);
  return Math.abs(value) <= most ? value : null;
}
