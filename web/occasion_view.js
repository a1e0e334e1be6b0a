// Where and when the photo was taken, as the page shows it and asks for it.

import { at, element } from './element.js';
import { laterPlace, resaid, said, say, sayMonth } from './language.js';
import { later } from './later.js';

const MONTHS = Array.from({ length: 12 }, (_, i) => i + 1);

/** Offer to say where and when; `onChange` is told what was chosen. */
export function offerOccasion(onChange, locate, choosePlace) {
  writeMonths();
  at('month').onchange = ({ target }) => onChange({ month: Number(target.value) || null, taken: null });
  at('nowhere').onclick = () => onChange({ latitude: null, longitude: null, from: null });
  at('on-map').onclick = async () => {
    const place = await choosePlace();
    if (place) onChange({ ...place, from: 'map' });
  };
  at('here').onclick = async () => {
    writePlace(later('occasion.asking'));
    try {
      onChange({ ...(await locate()), from: 'device' });
    } catch (error) {
      writePlace(later('occasion.refused', { reason: error.message || later('occasion.cannot') }));
    }
  };
  at('occasion').hidden = false;
}

const writeMonths = resaid(() => {
  const chosen = at('month').value;
  at('month').replaceChildren(
    element('option', { value: '', textContent: say('occasion.unknown') }),
    ...MONTHS.map((month) => element('option', { value: month, textContent: sayMonth(month) })),
  );
  at('month').value = chosen;
});

const writePlace = resaid((text) => {
  at('place').textContent = said(text);
});

/** What is known of where and when, and of it what the answer made use of. */
export function showOccasion({ latitude, longitude, month, from }) {
  const known = latitude != null;
  writePlace(known ? later(`occasion.from-${from}`, { place: laterPlace(latitude, longitude) }) : later('occasion.no-place'));
  at('nowhere').hidden = !known;
  at('month').value = month ?? '';
}

const [RARE, OFTEN] = [1 / 4, 2]; // of how often it is photographed anywhere and at any time

/** How often what is named is photographed there and then: `ratio` to how often anywhere, null where nobody knows. */
export const showSeen = resaid((ratio, { latitude, month }) => {
  const known = ratio == null ? null : ratio < RARE ? 'occasion.rarely' : ratio > OFTEN ? 'occasion.often' : null;
  const [near, inMonth] = [latitude != null, month != null];
  const where = near && inMonth ? 'occasion.near-in' : near ? 'occasion.near' : 'occasion.in';
  at('seen').textContent = known ? say(known, { when: say(where, { month: inMonth ? sayMonth(month) : '' }) }) : '';
});
