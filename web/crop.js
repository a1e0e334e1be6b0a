// Somebody says which part of a photo shows what is to be named (cut.js makes a photo of it).

import { WHOLE, between, move, pull, scale } from './box.js';
import { at } from './element.js';

const STEP = 0.02; // of the photo, at a press of an arrow key
const GROWTH = 1.1; // at a press of + or a notch of the wheel

const KEYS = {
  ArrowLeft: (box) => move(box, -STEP, 0),
  ArrowRight: (box) => move(box, STEP, 0),
  ArrowUp: (box) => move(box, 0, -STEP),
  ArrowDown: (box) => move(box, 0, STEP),
  '+': (box) => scale(box, GROWTH),
  '-': (box) => scale(box, 1 / GROWTH),
};

/**
 * Let somebody choose a part of a photo.
 * @param {Blob} file
 * @param {import('./box.js').Box} box what is framed at first
 * @param {(() => Promise<?import('./box.js').Box>)|null} suggest where the subject is likely to be; null where nobody can say
 * @returns {Promise<import('./box.js').Box|null>} null: nothing was chosen
 */
export async function choosePart(file, box = WHOLE, suggest = null) {
  const [dialog, image, frame] = [at('crop'), at('crop-photo'), at('crop-frame')];
  const address = URL.createObjectURL(file);
  image.onload = () => at('crop-stage').style.setProperty('--ratio', String(image.naturalWidth / image.naturalHeight));
  image.src = address;
  let chosen = box;
  const show = (next) => {
    if (!next) return;
    chosen = next;
    for (const [side, place] of Object.entries(chosen)) frame.style.setProperty(`--${side}`, String(place));
  };
  show(box);
  const done = new AbortController();
  listenToHands(at('crop-stage'), () => chosen, show, done.signal);
  frame.addEventListener('keydown', (event) => pressed(event, chosen, show), { signal: done.signal });
  at('crop-whole').onclick = () => show(WHOLE);
  at('crop-suggest').hidden = !suggest;
  at('crop-suggest').onclick = async () => show(await suggest().catch(() => null));
  dialog.returnValue = '';
  dialog.showModal();
  frame.focus();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  done.abort();
  URL.revokeObjectURL(address);
  return dialog.returnValue === 'use' ? chosen : null;
}

function pressed(event, box, show) {
  const change = KEYS[event.key];
  if (!change) return;
  event.preventDefault();
  show(change(box));
}

/** Mouse and fingers: pull a corner, move the frame, draw a new one outside of it, pinch with two fingers, turn the wheel. */
function listenToHands(stage, current, show, signal) {
  const fingers = new Map(); // where each touches, in fractions of the photo
  let start = null; // where the first went down, what it holds, and what was framed then
  const placeOf = ({ clientX, clientY }) => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  };
  const down = (event) => {
    event.preventDefault();
    stage.setPointerCapture(event.pointerId);
    const place = placeOf(event);
    fingers.set(event.pointerId, place);
    start = { ...place, box: current(), corner: event.target.dataset.corner, isInside: event.target.closest('#crop-frame') != null };
    if (fingers.size === 2) start.apart = distance(...fingers.values());
    at('crop-frame').focus();
  };
  const moved = (event) => {
    if (!fingers.has(event.pointerId) || !start) return;
    fingers.set(event.pointerId, placeOf(event));
    const { x, y } = fingers.get(event.pointerId);
    if (fingers.size === 2) {
      const apart = distance(...fingers.values());
      if (start.apart > 0 && apart > 0) show(scale(start.box, apart / start.apart));
    } else if (start.corner) {
      const [vertical, horizontal] = start.corner.split(' ');
      show(pull(start.box, { x: horizontal, y: vertical }, x, y));
    } else if (start.isInside) {
      show(move(start.box, x - start.x, y - start.y));
    } else {
      show(between(start.x, start.y, x, y));
    }
  };
  const up = (event) => {
    fingers.delete(event.pointerId);
    start = null; // a finger that is left begins nothing new
  };
  const turned = (event) => {
    event.preventDefault();
    const { x, y } = placeOf(event);
    show(scale(current(), event.deltaY < 0 ? 1 / GROWTH : GROWTH, x, y));
  };
  stage.addEventListener('pointerdown', down, { signal });
  stage.addEventListener('pointermove', moved, { signal });
  for (const type of ['pointerup', 'pointercancel']) stage.addEventListener(type, up, { signal });
  stage.addEventListener('wheel', turned, { signal, passive: false });
}

const distance = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);
