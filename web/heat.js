// What a model looked at: a map of what each place adds to a taxon's logit, laid on the photo, and the box that it suggests.
// fieldguide/inference/heat.py does the same arithmetic; change both or neither.
//
// A map is {data: Float32Array, width, height}, row by row.

import { layoutOf, place } from './preprocess.js';

/**
 * A map of the square as one of the photo, without the square's padding.
 *
 * Between the centres of the map's places it is bilinear, beyond the outermost constant; 0 where the square shows nothing of
 * the photo.
 * @param {{data: Float32Array, width: number, height: number}} map of the square
 * @param {{width: number, height: number}} photo its size, px
 * @param {Settings} settings preprocessing.json
 * @param {number} longest side of the result, px, where the photo is larger
 * @returns {{data: Float32Array, width: number, height: number}}
 */
export function layOnPhoto(map, photo, settings, longest = Infinity) {
  const layout = layoutOf(settings);
  const { source, target } = place(photo.width, photo.height, layout);
  const scale = Math.min(1, longest / Math.max(photo.width, photo.height));
  const [width, height] = [photo.width, photo.height].map((side) => Math.max(1, Math.round(side * scale)));
  const axis = (length, side, from, places) => weigh(length, side, [source[from], source[from + 2]], [target[from], target[from + 2]], layout.size, places);
  const across = axis(width, photo.width, 0, map.width);
  const down = axis(height, photo.height, 1, map.height);
  const data = new Float32Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    const rows = [down[y].low * map.width, down[y].high * map.width];
    for (let x = 0; x < width; x++, at++) {
      const { low, high, share, isShown } = across[x];
      if (!isShown || !down[y].isShown) continue;
      const [upper, lower] = rows.map((row) => map.data[row + low] * (1 - share) + map.data[row + high] * share);
      data[at] = upper * (1 - down[y].share) + lower * down[y].share;
    }
  }
  return { data, width, height };
}

/** For each of `length` steps along an axis of `side` px: between which places of the map it lies, and how far. */
function weigh(length, side, [start, end], [first, last], squareSide, places) {
  return Array.from({ length }, (_, i) => {
    const center = ((i + 0.5) * side) / length;
    const inSquare = first + ((center - start) * (last - first)) / (end - start);
    const at = Math.min(Math.max((inSquare / squareSide) * places - 0.5, 0), places - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, places - 1), share: at - low, isShown: center >= start && center < end };
  });
}

/** Which of the model's outputs a taxon is; they hold the ranks one after the other. */
export function outputOf({ rank, name }, { ranks, classes }) {
  const before = ranks.slice(0, ranks.indexOf(rank));
  return before.reduce((sum, each) => sum + classes[each].length, 0) + classes[rank].indexOf(name);
}

const MASS = 0.8;

/**
 * The smallest box that holds a share `mass` of what is positive in a map: where the subject is likely to be.
 * @param {{data: Float32Array, width: number, height: number}} map of a photo, as `layOnPhoto` makes it; all its boxes are tried, in
 *   height^2 x width steps, so a few dozen px a side do
 * @returns {{left: number, top: number, right: number, bottom: number}|null} in shares of the photo, 0 to 1; of boxes of one size
 *   that which holds most; null where nothing is positive
 */
export function suggestBox({ data, width, height }, mass = MASS) {
  const total = data.reduce((sum, value) => sum + Math.max(0, value), 0);
  if (!total) return null;
  const enough = mass * total * (1 - 1e-9); // sums round differently from one order to another
  let best = null;
  for (let top = 0; top < height; top++) {
    const columns = new Float64Array(width);
    for (let bottom = top + 1; bottom <= height; bottom++) {
      for (let x = 0; x < width; x++) columns[x] += Math.max(0, data[(bottom - 1) * width + x]);
      let sum = 0;
      for (let left = 0, right = 0; right < width; ) {
        sum += columns[right++];
        for (; sum - columns[left] >= enough; left++) sum -= columns[left];
        const area = (right - left) * (bottom - top);
        if (sum < enough || area > best?.area || (area === best?.area && sum <= best.sum)) continue;
        best = { area, sum, left, top, right, bottom };
      }
    }
  }
  const { left, top, right, bottom } = best;
  return { left: left / width, top: top / height, right: right / width, bottom: bottom / height };
}

// From what played no part to what spoke most for the taxon: red, green, blue. Every step is brighter than the one before it,
// so that it reads without colour vision too.
const SCALE = [
  [20, 10, 60],
  [110, 25, 110],
  [190, 55, 85],
  [240, 130, 40],
  [252, 230, 120],
];
const OPACITY = [0.7, 0.5]; // of the darkest and the brightest: what was looked at is seen best

/**
 * A map as RGBA, through which the photo is seen: the brighter, the more spoke for the taxon; what spoke against it is as
 * what played no part.
 * @returns {Uint8ClampedArray} [height * width * 4]
 */
export function paint({ data }) {
  const most = data.reduce((top, value) => Math.max(top, value), 0);
  const rgba = new Uint8ClampedArray(data.length * 4);
  data.forEach((value, i) => {
    const at = most ? (Math.max(0, value) / most) * (SCALE.length - 1) : 0;
    const low = Math.min(Math.floor(at), SCALE.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      rgba[4 * i + channel] = SCALE[low][channel] + (at - low) * (SCALE[low + 1][channel] - SCALE[low][channel]);
    }
    rgba[4 * i + 3] = 255 * (OPACITY[0] + (at / (SCALE.length - 1)) * (OPACITY[1] - OPACITY[0]));
  });
  return rgba;
}
