// The button over the plate that shows what the model looked at, and the map that it draws over the photo.

import { at } from './element.js';
import { explain } from './failures.js';
import { layOnPhoto, paint } from './heat.js';
import { said, say } from './language.js';

const LONGEST = 200; // px of what is drawn; the map has a few places a side, and the browser enlarges it smoothly

let asked = 0; // a map that comes when another photo is here is let go

/**
 * Offer the map of the photo on the plate.
 * @param {string} name of the taxon that it is about, as the reader knows it
 * @param {(longest: number) => Promise<{data: Float32Array, width: number, height: number}>} find the map, as heat.js has them, laid on the photo
 */
export function offerMap(name, find) {
  const turn = ++asked;
  let drawn = null; // a promise; it is drawn once
  const draw = async () => {
    const map = await find(LONGEST);
    if (turn !== asked) return;
    const canvas = at('heat');
    Object.assign(canvas, { width: map.width, height: map.height });
    canvas.getContext('2d').putImageData(new ImageData(/** @type {any} */ (paint(map)), map.width, map.height), 0, 0);
    canvas.setAttribute('aria-label', say('heat.picture', { name }));
  };
  const toggle = at('why-toggle');
  toggle.onclick = async () => {
    const isWanted = toggle.getAttribute('aria-pressed') === 'false';
    toggle.setAttribute('aria-pressed', String(isWanted));
    if (!isWanted) {
      hide();
      return;
    }
    try {
      await (drawn ??= draw());
      if (turn !== asked || toggle.getAttribute('aria-pressed') === 'false') return;
      at('why-legend').textContent = say('heat.legend', { name });
      at('why-scale').hidden = at('heat').hidden = false;
    } catch (error) {
      drawn = null;
      if (turn !== asked) return;
      toggle.setAttribute('aria-pressed', 'false');
      at('why-legend').textContent = said(explain(error, 'failure.explaining').text);
    }
  };
  at('why').hidden = at('photo').hidden; // a browser may answer a file that it cannot show
}

/** What `offerMap` wants of a prepared photo: its map on the photo, for an output of the model. */
export const mapOf = (prepared, output, { engine, settings, ending }) => async (longest) =>
  layOnPhoto(await engine.mapOutput(prepared.input, output, ending), prepared, settings, longest);

/** Take the offer back: the plate shows something else. */
export function withdrawMap() {
  asked++;
  at('why').hidden = true;
  at('why-toggle').setAttribute('aria-pressed', 'false');
  hide();
}

function hide() {
  at('heat').hidden = at('why-scale').hidden = true;
  at('why-legend').textContent = '';
}
