// web/sight.js: the frame stays in sight, whatever is zoomed, shifted or pulled.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL, around, centre, draw, frameInView, isFilled, pinch, pointAt, push, stretch, zoom, zoomOf } from '../../web/sight.js';

const box = (left, top, right, bottom) => ({ left, top, right, bottom });
const MIDDLE = { view: box(0.25, 0.25, 0.75, 0.75), frame: box(0.4, 0.45, 0.5, 0.55) };
const FILLED = { view: MIDDLE.view, frame: MIDDLE.view };
const CORNER = { x: 'right', y: 'bottom' };

// What was done, and the view and the frame after it.
const CASES = {
  'zooming in crops what filled the view': [zoom(ALL, 2), box(0.25, 0.25, 0.75, 0.75), box(0.25, 0.25, 0.75, 0.75)],
  'and zooming out brings it back': [zoom(zoom(ALL, 2), 0.1), ALL.view, ALL.frame],
  'about a point that keeps its place': [zoom(ALL, 4, [0.2, 1]), box(0.15, 0.75, 0.4, 1), box(0.15, 0.75, 0.4, 1)],
  'a smaller frame keeps its part of the photo': [zoom(MIDDLE, 0.5), ALL.view, MIDDLE.frame],
  'zoomed about its middle': [zoom(MIDDLE, 2), box(0.35, 0.375, 0.6, 0.625), MIDDLE.frame],
  'and shrinks where it would not be seen as a whole': [zoom(MIDDLE, 10, [0.45, 0.5]), box(0.43, 0.475, 0.48, 0.525), box(0.43, 0.475, 0.48, 0.525)],
  'what is out of sight comes to its edge': [zoom(MIDDLE, 5, [0.75, 0.75]), box(0.65, 0.65, 0.75, 0.75), box(0.65, 0.65, 0.75, 0.75)],
  'the frame is pushed': [push(MIDDLE, 0.1, -0.1), MIDDLE.view, box(0.45, 0.4, 0.55, 0.5)],
  'and takes the view along': [push(MIDDLE, -0.5, 0), box(0.15, 0.25, 0.65, 0.75), box(0.15, 0.45, 0.25, 0.55)],
  'as far as the photo goes': [push(MIDDLE, 9, 9), box(0.5, 0.5, 1, 1), box(0.9, 0.9, 1, 1)],
  'a frame that fills the view takes it along at once': [push(FILLED, 0.2, 0), box(0.35, 0.25, 0.85, 0.75), box(0.35, 0.25, 0.85, 0.75)],
  'the frame goes to a point': [centre(MIDDLE, [0.6, 0.3]), MIDDLE.view, box(0.55, 0.25, 0.65, 0.35)],
  'fingers take the photo along': [pinch(FILLED, { x: 0.5, y: 0.5 }, { x: 0.7, y: 0.5 }, 1), box(0.15, 0.25, 0.65, 0.75), box(0.15, 0.25, 0.65, 0.75)],
  'and zoom about their middle': [pinch(ALL, { x: 0.5, y: 0.5 }, { x: 0.25, y: 0.5 }, 2), box(0.375, 0.25, 0.875, 0.75), box(0.375, 0.25, 0.875, 0.75)],
  'a corner goes as far as is seen': [stretch(MIDDLE, CORNER, 9, 0.1), MIDDLE.view, box(0.4, 0.45, 0.75, 0.6)],
  'a frame is drawn within what is seen': [draw(MIDDLE, [0.5, 0.5], [0, 0.6]), MIDDLE.view, box(0.25, 0.5, 0.5, 0.6)],
  'one that is too small was not meant': [draw(MIDDLE, [0.5, 0.5], [0.51, 0.6]), MIDDLE.view, MIDDLE.frame],
  'a frame that is here is seen with some of the photo': [around(box(0.9, 0, 1, 0.05)), box(0.84, 0, 1, 0.16), box(0.9, 0, 1, 0.05)],
  'a large one with all of it': [around(box(0.2, 0, 1, 0.5)), ALL.view, box(0.2, 0, 1, 0.5)],
};

const near = (found, expected, what) => {
  for (const side of Object.keys(expected)) assert.ok(Math.abs(found[side] - expected[side]) < 1e-9, `${what}: ${side} is ${found[side]}, not ${expected[side]}`);
};

for (const [what, [found, view, frame]] of Object.entries(CASES)) {
  test(what, () => {
    near(found.view, view, 'view');
    near(found.frame, frame, 'frame');
  });
}

test('what the page draws', () => {
  near(frameInView(MIDDLE), box(0.3, 0.4, 0.5, 0.6), 'frame in view');
  assert.deepEqual(pointAt(MIDDLE, { x: 0.5, y: 1 }), [0.5, 0.75]);
  assert.equal(zoomOf(MIDDLE), 2);
  assert.deepEqual([ALL, MIDDLE, FILLED, push(zoom(ALL, 3), 0.1, 0.07)].map(isFilled), [true, false, true, true]);
});
