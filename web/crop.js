// Somebody says which part of a photo shows what is to be named (cut.js makes a photo of it).
//
// What touches one place moves the frame: a finger, the mouse, the arrow keys. What magnifies zooms the photo beneath it: two
// fingers, the wheel, + and −. A frame that fills the view has nowhere to go, so there one finger shifts the photo.

import { WHOLE, isWhole } from './box.js';
import { at } from './element.js';
import { ALL, around, centre, draw, frameInView, isFilled, pinch, pointAt, push, stretch, zoom, zoomOf } from './sight.js';

const STEP = 0.02; // of the view, at a press of an arrow key
const MAGNIFIED = 1.25; // at a press of + or a notch of the wheel
const NOTCH = 100; // px that a notch turns the wheel by
const LINE = 33; // px that stand for a line, in which some browsers count
const FINER = 10; // a pinch on a trackpad comes as a wheel with Ctrl that hardly turns
const TREMBLE = 4; // px that a finger moves at a tap
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Let somebody choose a part of a photo.
 * @param {Blob} file
 * @param {import('./box.js').Box} box what is framed at first
 * @param {(() => Promise<?import('./box.js').Box>)|null} suggest where the subject is likely to be; null where nobody can say
 * @returns {Promise<import('./box.js').Box|null>} null: nothing was chosen
 */
export async function choosePart(file, box = WHOLE, suggest = null) {
  const [dialog, stage, image, frame] = [at('crop'), at('crop-stage'), at('crop-photo'), at('crop-frame')];
  const address = URL.createObjectURL(file);
  image.onload = () => stage.style.setProperty('--ratio', String(image.naturalWidth / image.naturalHeight));
  image.src = address;
  let sight = ALL;
  const place = (element, places) => {
    for (const [name, value] of Object.entries(places)) element.style.setProperty(`--${name}`, String(value));
  };
  const show = (next) => {
    sight = next;
    place(stage, { zoom: zoomOf(sight), x: sight.view.left, y: sight.view.top });
    place(frame, frameInView(sight));
  };
  show(around(box));
  const done = new AbortController();
  listenToHands(stage, () => sight, show, done.signal);
  frame.addEventListener('keydown', (event) => pressed(event, sight, show), { signal: done.signal });
  at('crop-nearer').onclick = () => show(zoom(sight, MAGNIFIED));
  at('crop-farther').onclick = () => show(zoom(sight, 1 / MAGNIFIED));
  at('crop-whole').onclick = () => show(ALL);
  at('crop-suggest').hidden = !suggest;
  at('crop-suggest').onclick = async () => {
    const found = await suggest().catch(() => null);
    if (found) show(around(found));
  };
  dialog.returnValue = '';
  dialog.showModal();
  frame.focus();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  done.abort();
  URL.revokeObjectURL(address);
  return dialog.returnValue === 'use' ? sight.frame : null;
}

function pressed(event, sight, show) {
  const [across, down] = (ARROWS[event.key] ?? []).map((direction) => direction * STEP);
  if (event.key in ARROWS) show(event.shiftKey ? stretch(sight, { x: 'right', y: 'bottom' }, across, down) : push(sight, across, down));
  else if (event.key === '+' || event.key === '-') show(zoom(sight, event.key === '+' ? MAGNIFIED : 1 / MAGNIFIED));
  else return;
  event.preventDefault();
}

/** What one finger, or the mouse, does: `by` is how far it went since it went down, `to` where it is, in fractions of the view. */
function takeHold(corner, isInside, sight, from) {
  if (corner) return (by) => stretch(sight, { x: corner[1], y: corner[0] }, by.x, by.y);
  if (isWhole(sight.frame) || !isInside) return (_, to) => draw(sight, pointAt(sight, from), pointAt(sight, to));
  if (isFilled(sight)) return (by) => push(sight, -by.x, -by.y);
  return (by) => push(sight, by.x, by.y);
}

/** Mouse and fingers: pull a corner, move the frame, draw a new one outside of it, tap where it goes, pinch, turn the wheel. */
function listenToHands(stage, current, show, signal) {
  const fingers = new Map(); // where each touches, in fractions of the view
  let grip = null; // where the first went down, what it does, and what was seen then
  const placeOf = ({ clientX, clientY }) => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  };
  const down = (event) => {
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, placeOf(event));
    at('crop-frame').focus();
    if (fingers.size === 1) {
      const [from, corner] = [placeOf(event), event.target.dataset.corner?.split(' ')];
      const act = takeHold(corner, event.target.closest('#crop-frame') != null, current(), from);
      grip = { from, act, sight: current(), pixel: [event.clientX, event.clientY], moved: false, isTap: !corner };
    } else if (grip) {
      grip = { ...grip, middle: middle(...fingers.values()), apart: distance(stage, ...fingers.values()), isTap: false };
      show(grip.sight); // what the first one did before the second came was not meant
    }
  };
  const moved = (event) => {
    if (!fingers.has(event.pointerId) || !grip) return;
    const to = placeOf(event);
    fingers.set(event.pointerId, to);
    grip.moved ||= Math.hypot(event.clientX - grip.pixel[0], event.clientY - grip.pixel[1]) > TREMBLE;
    grip.isTap &&= !grip.moved;
    if (grip.apart) {
      const apart = distance(stage, ...fingers.values()) / grip.apart;
      if (apart > 0) show(pinch(grip.sight, grip.middle, middle(...fingers.values()), apart));
    } else if (grip.moved) {
      show(grip.act({ x: to.x - grip.from.x, y: to.y - grip.from.y }, to));
    }
  };
  const up = (event) => {
    fingers.delete(event.pointerId);
    if (event.type === 'pointerup' && grip?.isTap) show(centre(grip.sight, pointAt(grip.sight, grip.from)));
    grip = null; // a finger that is left begins nothing new
  };
  const turned = (event) => {
    event.preventDefault();
    const notches = (event.deltaY * (event.deltaMode ? LINE : 1) * (event.ctrlKey ? FINER : 1)) / NOTCH;
    show(zoom(current(), MAGNIFIED ** -Math.min(Math.max(notches, -1), 1), pointAt(current(), placeOf(event))));
  };
  stage.addEventListener('pointerdown', down, { signal });
  stage.addEventListener('pointermove', moved, { signal });
  for (const type of ['pointerup', 'pointercancel']) stage.addEventListener(type, up, { signal });
  stage.addEventListener('wheel', turned, { signal, passive: false });
}

const middle = (one, other) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });

/** Of two places of the view, px. */
const distance = ({ clientWidth, clientHeight }, one, other) => Math.hypot((one.x - other.x) * clientWidth, (one.y - other.y) * clientHeight);
