// What is seen of a photo while a part of it is framed: a view that is zoomed and shifted, and a frame that stays within it.
//
// A frame that fills the view goes on filling it, so that zooming in crops the photo. Any other stays where it is while that
// is in sight.

import { WHOLE, between, move, pull, scale } from './box.js';

/**
 * @typedef {import('./box.js').Box} Box
 * @typedef {{view: Box, frame: Box}} Sight the view has the photo's own shape: it is as long a part of its width as of its height
 */

const ROOM = 1.6; // sides of the frame that are seen of the photo when a frame is there already
const SAME = 1e-9;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const lengthOf = (view) => view.right - view.left;

/** @returns {[number, number]} */
const middleOf = ({ left, top, right, bottom }) => [(left + right) / 2, (top + bottom) / 2];

/** How many times larger than the whole photo it is shown. */
export const zoomOf = ({ view }) => 1 / lengthOf(view);

export const isFilled = ({ view, frame }) => Object.keys(view).every((side) => Math.abs(view[side] - frame[side]) < SAME);

/** The point of the photo that lies at a point of the view, both in fractions. @returns {[number, number]} */
export const pointAt = ({ view }, { x, y }) => [view.left + x * lengthOf(view), view.top + y * lengthOf(view)];

/** The frame in fractions of the view. @returns {Box} */
export function frameInView({ view, frame }) {
  const [across, down] = ['left', 'top'].map((side) => (place) => (place - view[side]) / lengthOf(view));
  return { left: across(frame.left), top: down(frame.top), right: across(frame.right), bottom: down(frame.bottom) };
}

/** @returns {Sight} of a frame with some of the photo about it */
export function around(frame) {
  const half = Math.min(1, ROOM * Math.max(frame.right - frame.left, frame.bottom - frame.top)) / 2;
  const [x, y] = middleOf(frame);
  return { view: move({ left: x - half, top: y - half, right: x + half, bottom: y + half }, 0, 0), frame };
}

/** @returns {Sight} with another view */
function see(sight, view) {
  const { frame } = sight;
  if (isFilled(sight)) return { view, frame: view };
  const along = (from, to) => {
    const length = Math.min(frame[to] - frame[from], lengthOf(view));
    const start = clamp(frame[from], view[from], view[to] - length);
    return [start, start + length];
  };
  const [[left, right], [top, bottom]] = [along('left', 'right'), along('top', 'bottom')];
  return { view, frame: { left, top, right, bottom } };
}

/** @returns {Sight} `factor` times larger, about a point of the photo that stays where it is seen; else about the frame's middle */
export function zoom(sight, factor, [x, y] = middleOf(sight.frame)) {
  return see(sight, scale(sight.view, 1 / factor, x, y));
}

/** @returns {Sight} after fingers took what lies at a point of the view to another, and went `apart` times as far from one another */
export function pinch(sight, from, to, apart) {
  const zoomed = zoom(sight, apart, pointAt(sight, from));
  const length = lengthOf(zoomed.view);
  return see(zoomed, move(zoomed.view, (from.x - to.x) * length, (from.y - to.y) * length));
}

/** @returns {Sight} with the frame moved, in fractions of the view, which follows where it would leave it */
export function push({ view, frame }, across, down) {
  const moved = move(frame, across * lengthOf(view), down * lengthOf(view));
  const beyond = (from, to) => Math.min(0, moved[from] - view[from]) + Math.max(0, moved[to] - view[to]);
  return { view: move(view, beyond('left', 'right'), beyond('top', 'bottom')), frame: moved };
}

/** @returns {Sight} with the frame's middle at a point of the photo, or as near as it gets */
export function centre(sight, [x, y]) {
  const [fromX, fromY] = middleOf(sight.frame);
  return push(sight, (x - fromX) / lengthOf(sight.view), (y - fromY) / lengthOf(sight.view));
}

/** @returns {Sight} with a corner of the frame moved, in fractions of the view, as far as is in sight */
export function stretch({ view, frame }, corner, across, down) {
  const x = clamp(frame[corner.x] + across * lengthOf(view), view.left, view.right);
  const y = clamp(frame[corner.y] + down * lengthOf(view), view.top, view.bottom);
  return { view, frame: pull(frame, corner, x, y) };
}

/** @returns {Sight} with a frame from one point of the photo to another; the same where that is too small to be meant */
export function draw({ view, frame }, [x, y], [otherX, otherY]) {
  const [toX, toY] = [clamp(otherX, view.left, view.right), clamp(otherY, view.top, view.bottom)];
  return { view, frame: between(x, y, toX, toY) ?? frame };
}

/** @type {Sight} */
export const ALL = { view: WHOLE, frame: WHOLE };
