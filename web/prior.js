// Place and season: how much more or less often a species is photographed there and then than anywhere and at any time.
// fieldguide/evaluate/prior.py has the formula and its reasons; docs/formats.md has the layout of the file.

const MONTHS = 12;

/**
 * Counts of training photos by class, cell and month, and how they are smoothed.
 * @typedef {{header: object, cells: Float32Array, starts: Uint32Array, entries: DataView}} Prior
 */

/**
 * Where and when photos were taken; null where that is unknown.
 * @typedef {{latitude: ?number, longitude: ?number, month: ?number}} Occasion
 */

/**
 * The prior that prior.json and prior.bin hold.
 * @returns {Prior}
 */
export function readPrior(header, buffer) {
  const { num_cells: numCells, num_classes: numClasses, num_entries: numEntries } = header;
  const startsAt = 8 * numCells;
  const entriesAt = startsAt + 4 * (numClasses + 1);
  if (buffer.byteLength !== entriesAt + 4 * numEntries) throw new Error('prior.bin is of another prior.json');
  return {
    header,
    cells: new Float32Array(buffer, 0, 2 * numCells),
    starts: new Uint32Array(buffer, startsAt, numClasses + 1),
    entries: new DataView(buffer, entriesAt),
  };
}

/** Whether place or month play a part in an answer. */
export const isTelling = (prior, { latitude, month }) => prior?.header.strength > 0 && (latitude != null || month != null);

/** How much likelier than on average each class is, or null where neither place nor month is known. */
export function ratios({ header, cells, starts, entries }, { latitude, longitude, month }) {
  if (latitude == null && month == null) return null;
  const near = Float64Array.from({ length: header.num_cells }, (_, i) =>
    latitude == null ? 1 : Math.exp(-(angle(latitude, longitude, cells[2 * i], cells[2 * i + 1]) ** 2) / (2 * header.spread ** 2)),
  );
  const inSeason = Float64Array.from({ length: MONTHS + 1 }, (_, other) => {
    const off = month == null ? 0 : Math.abs(other - month);
    return Math.exp(-(Math.min(off, MONTHS - off) ** 2) / 2);
  });
  const [nearby, total] = [new Float64Array(header.num_classes), new Float64Array(header.num_classes)];
  for (let label = 0; label < header.num_classes; label++) {
    for (let at = 4 * starts[label]; at < 4 * starts[label + 1]; at += 4) {
      const count = entries.getUint8(at + 3);
      nearby[label] += near[entries.getUint16(at, true)] * inSeason[entries.getUint8(at + 2)] * count;
      total[label] += count;
    }
  }
  const sum = (values) => values.reduce((all, value) => all + value, 0);
  const average = sum(nearby) / Math.max(sum(total), 1) + header.background;
  return nearby.map(
    (value, label) =>
      (value + header.pseudo * average + header.background * total[label]) / ((total[label] + header.pseudo) * average),
  );
}

/**
 * Logits of all ranks, told where and when: those of the first rank are shifted, so that dividing them by its temperature
 * multiplies its probabilities by ratio ^ strength, and by no less than the floor.
 */
export function inform(logits, labels, temperatures, prior, occasion) {
  const found = prior && ratios(prior, occasion);
  if (!found) return logits;
  const [first] = labels.ranks;
  const { strength, floor } = prior.header;
  const shift = (label) => (temperatures[first] ?? 1) * Math.max(strength * Math.log(found[label]), Math.log(floor));
  // The classes of the first rank come first.
  return Array.from(logits, (logit, i) => (i < found.length ? logit + shift(i) : logit));
}

/** The great-circle distance between two places, degrees (haversine formula). */
function angle(latitude, longitude, toLatitude, toLongitude) {
  const [a, b, across] = [latitude, toLatitude, toLongitude - longitude].map((degrees) => (degrees * Math.PI) / 180);
  const half = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(across / 2) ** 2;
  return (2 * Math.asin(Math.sqrt(Math.min(half, 1))) * 180) / Math.PI;
}
