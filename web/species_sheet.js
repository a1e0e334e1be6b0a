// The sheet of one species: its photos with their credit, its lineage, and beside it what is easily taken for it.

import { at, element } from './element.js';
import { say, sayRank } from './language.js';
import { card,  credit,  names,  picture,  scientific,  step } from './species_cards.js';

const LARGE = 240; // sides of pictures, px
const SMALL = 120;

/**
 * Write the sheet of a species into its dialog.
 * @param {import('./species_search.js').Species} species
 * @param {Sheet} sheet empty where nothing more is known
 * @param {(name: string) => {species: import('./species_search.js').Species, sheet: Sheet} | null} find another species of the guide
 */
export function writeSheet(species, { photos = [], num_photos: numPhotos, look_alikes: alike = {}, notes, link }, find) {
  const { name, vernacular, lineage } = species;
  const { rank } = lineage.at(-1);
  at('sheet-rank').textContent = sayRank(rank);
  at('sheet-name').replaceChildren(vernacular ? vernacular : scientific(name, rank));
  at('sheet-scientific').replaceChildren(...(vernacular ? [scientific(name, rank)] : []));
  at('sheet-photos').replaceChildren(...photos.map((photo, i) => figure(photo, vernacular || name, i + 1)));
  at('sheet-empty').hidden = photos.length > 0;
  at('sheet-lineage').replaceChildren(...lineage.map(step));
  at('sheet-count').textContent = numPhotos == null ? '' : say('species.learnt', { count: numPhotos });
  at('sheet-notes').textContent = notes ?? '';
  at('sheet-link').hidden = !isAddress(link);
  if (isAddress(link)) at('sheet-link').href = link;
  const pairs = Object.entries(alike).flatMap(([other, count]) => pair(species, photos, find(other), count));
  at('sheet-alike').hidden = pairs.length === 0;
  at('sheet-pairs').replaceChildren(...pairs);
}

function figure(photo, name, number) {
  const alt = say('species.photo', { name, number });
  return element('li', {}, element('figure', {}, picture(photo, alt, LARGE), element('figcaption', { textContent: credit(photo) })));
}

/** A species and a look-alike, side by side. */
function pair(species, photos, other, count) {
  const [photo] = photos;
  if (!other) return [];
  const own = photo ? picture(photo, '', SMALL) : element('span', { className: 'no-picture', ariaHidden: 'true' });
  const row = element(
    'li',
    { className: 'pair' },
    element('span', { className: 'side' }, own, names(species)),
    card(other.species, other.sheet, 'side', SMALL),
  );
  if (count) row.append(element('p', { textContent: say('species.mixed-up', { count }) }));
  return [row];
}

/** Notes and links come from a table that others wrote: only an address of the web is one. */
const isAddress = (link) => /^https?:\/\//.test(link ?? '');
