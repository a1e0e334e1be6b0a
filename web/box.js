// A part of a photo, as a box in fractions of its width and height: how hands move it, and the pixels in it.

/**
 * @typedef {{left: number, top: number, right: number, bottom: number}} Box
 * of an upright photo; 0 is its left or upper edge, 1 its right or lower one
 */

/** @type {Box} */
export const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };

const MIN_SIDE = 0.02; // of the photo's, 80 px of twelve megapixels: less shows nothing that could be named

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const isWhole = ({ left, top, right, bottom }) => left <= 0 && top <= 0 && right >= 1 && bottom >= 1;

/** @returns {Box} `box` moved, as far as the photo goes */
export function move({ left, top, right, bottom }, across, down) {
  const [x, y] = [clamp(across, -left, 1 - right), clamp(down, -top, 1 - bottom)];
  return { left: left + x, top: top + y, right: right + x, bottom: bottom + y };
}

/**
 * @param {{x: 'left'|'right', y: 'top'|'bottom'}} corner that is pulled to a point of the photo; the opposite one stays
 * @returns {Box}
 */
export function pull(box, corner, x, y) {
  const [low, high] = corner.x === 'left' ? [0, box.right - MIN_SIDE] : [box.left + MIN_SIDE, 1];
  const [above, below] = corner.y === 'top' ? [0, box.bottom - MIN_SIDE] : [box.top + MIN_SIDE, 1];
  return { ...box, [corner.x]: clamp(x, low, high), [corner.y]: clamp(y, above, below) };
}

/** @returns {Box} `box` with sides `factor` times as long, about a point of the photo that keeps its place in it */
export function scale({ left, top, right, bottom }, factor, x = (left + right) / 2, y = (top + bottom) / 2) {
  const along = (from, to, fixed) => {
    const length = clamp((to - from) * factor, MIN_SIDE, 1);
    const start = clamp(fixed - ((fixed - from) / (to - from)) * length, 0, 1 - length);
    return [start, start + length];
  };
  const [[newLeft, newRight], [newTop, newBottom]] = [along(left, right, x), along(top, bottom, y)];
  return { left: newLeft, top: newTop, right: newRight, bottom: newBottom };
}

/** @returns {Box} the box with these two corners, in any order; null where it is too small to be meant */
export function between(x, y, otherX, otherY) {
  const [left, right] = [clamp(Math.min(x, otherX), 0, 1), clamp(Math.max(x, otherX), 0, 1)];
  const [top, bottom] = [clamp(Math.min(y, otherY), 0, 1), clamp(Math.max(y, otherY), 0, 1)];
  return right - left < MIN_SIDE || bottom - top < MIN_SIDE ? null : { left, top, right, bottom };
}

/**
 * The pixels of `image` that `box` touches.
 * @param {{data: Uint8Array, width: number, height: number}} image RGB
 * @returns {{data: Uint8Array, width: number, height: number}}
 */
export function cutOut({ data, width, height }, box) {
  const [left, top] = [Math.floor(box.left * width), Math.floor(box.top * height)];
  const [across, down] = [Math.ceil(box.right * width) - left, Math.ceil(box.bottom * height) - top];
  const part = new Uint8Array(across * down * 3);
  for (let row = 0; row < down; row++) {
    const from = ((top + row) * width + left) * 3;
    part.set(data.subarray(from, from + across * 3), row * across * 3);
  }
  return { data: part, width: across, height: down };
}
