// A place, chosen on a small map of the world that needs no network: the map moves beneath a cross in the middle.

import { at } from './element.js';
import { laterPlace, said } from './language.js';

const ZOOMS = [1, 2, 4, 8, 16]; // windows that the world is wide
const STEP = 1 / 12; // of the window, at a press of an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @typedef {{latitude: number, longitude: number, zoom: number}} View the middle of the map, degrees, and an index of ZOOMS
 */

/**
 * @param {View} view
 * @param {number} across widths of the window
 * @param {number} down heights of the window, half as long
 * @returns {View} with another middle; the world is round from west to east
 */
export function pan({ latitude, longitude, zoom }, across, down) {
  const moved = longitude + (across * 360) / ZOOMS[zoom];
  const wrapped = ((((moved + 180) % 360) + 360) % 360) - 180;
  return { latitude: Math.min(90, Math.max(-90, latitude - (down * 180) / ZOOMS[zoom])), longitude: wrapped, zoom };
}

/** @returns {View} nearer by `steps`, or farther; a point of the window, from its middle, stays where it is */
export function magnify(view, steps, across = 0, down = 0) {
  const zoom = Math.min(ZOOMS.length - 1, Math.max(0, view.zoom + steps));
  const there = pan(view, across, down);
  return pan({ ...there, zoom }, -across, -down);
}

/**
 * Let somebody choose a place.
 * @param {?{latitude: number, longitude: number}} start where the map opens; null: over the whole world
 * @returns {Promise<?{latitude: number, longitude: number}>} null: none was chosen
 */
export async function choosePlace(start) {
  const [dialog, pane] = [at('map'), at('map-pane')];
  let view = { latitude: 20, longitude: 0, zoom: 0, ...start, ...(start && { zoom: 2 }) };
  const show = (next) => {
    view = next;
    const world = at('map-world').style;
    world.setProperty('--zoom', String(ZOOMS[view.zoom]));
    world.setProperty('--x', String((view.longitude + 180) / 360));
    world.setProperty('--y', String((90 - view.latitude) / 180));
    at('map-place').textContent = said(laterPlace(view.latitude, view.longitude));
    at('map-nearer').disabled = view.zoom === ZOOMS.length - 1;
    at('map-farther').disabled = view.zoom === 0;
  };
  show(view);
  const done = new AbortController();
  listen(pane, () => view, show, done.signal);
  at('map-nearer').onclick = () => show(magnify(view, 1));
  at('map-farther').onclick = () => show(magnify(view, -1));
  dialog.returnValue = '';
  dialog.showModal();
  pane.focus();
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  done.abort();
  return dialog.returnValue === 'use' ? { latitude: view.latitude, longitude: view.longitude } : null;
}

function listen(pane, current, show, signal) {
  const offset = ({ clientX, clientY }) => {
    const { left, top, width, height } = pane.getBoundingClientRect();
    return [(clientX - left) / width - 0.5, (clientY - top) / height - 0.5];
  };
  let grip = null; // where the map was taken, and what it showed then
  const down = (event) => {
    pane.setPointerCapture(event.pointerId);
    grip = { from: offset(event), view: current(), moved: false };
  };
  const moved = (event) => {
    if (!grip) return;
    const [across, down] = offset(event).map((place, i) => place - grip.from[i]);
    grip.moved ||= Math.hypot(across, down) > 0.02; // less is a finger that trembles
    if (grip.moved) show(pan(grip.view, -across, -down));
  };
  const up = () => {
    if (grip && !grip.moved) show(pan(grip.view, grip.from[0], grip.from[1])); // a tap brings its place into the middle
    grip = null;
  };
  const pressed = (event) => {
    const direction = ARROWS[event.key];
    if (direction) show(pan(current(), direction[0] * STEP, direction[1] * STEP));
    else if (event.key === '+' || event.key === '-') show(magnify(current(), event.key === '+' ? 1 : -1));
    else return;
    event.preventDefault();
  };
  const turned = (event) => {
    event.preventDefault();
    show(magnify(current(), event.deltaY < 0 ? 1 : -1, ...offset(event)));
  };
  pane.addEventListener('pointerdown', down, { signal });
  pane.addEventListener('pointermove', moved, { signal });
  pane.addEventListener('pointerup', up, { signal });
  pane.addEventListener('pointercancel', () => (grip = null), { signal });
  pane.addEventListener('keydown', pressed, { signal });
  pane.addEventListener('wheel', turned, { signal, passive: false });
}
