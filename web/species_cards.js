// What the pages of the species are made of: pictures with their credit, names, cards to tap.

import { element } from './element.js';
import { sayRank } from './language.js';
import { isItalic } from './names.js';

/** A taxon's scientific name. */
export const scientific = (name, rank, className = '') =>
  element('span', { className: isItalic(rank) ? `latin ${className}` : className, textContent: name, lang: 'la' });

/** The names of a species, the one that people say first. */
export function names({ name, vernacular, lineage }) {
  const latin = scientific(name, lineage.at(-1).rank, vernacular ? 'second' : '');
  return element('span', { className: 'names' }, ...(vernacular ? [element('span', { textContent: vernacular }), latin] : [latin]));
}

/**
 * A reference photo, fetched when it comes into sight. One that cannot be had leaves its place empty.
 * @param {{file: string}} photo of species.json
 * @param {string} alt empty where the name stands beside it
 */
export function picture({ file }, alt, size) {
  const image = element('img', { alt, width: size, height: size, loading: 'lazy', decoding: 'async' });
  image.onerror = () => image.removeAttribute('src');
  image.src = file; // after `loading`, or it is fetched at once
  return image;
}

/** Licence and holder of a photo. */
export const credit = ({ rights_holder: holder, licence }) => [holder, licence].filter(Boolean).join(' · ');

/** A button that names a species, with its first photo; `data-species` says which. */
export function card(species, sheet, className, size) {
  const [photo] = sheet?.photos ?? [];
  const shown = photo ? picture(photo, '', size) : element('span', { className: 'no-picture', ariaHidden: 'true' });
  const button = element('button', { type: 'button', className }, shown, names(species));
  button.dataset.species = species.name;
  return button;
}

/** A taxon's line in a lineage. */
export const step = ({ rank, name }) =>
  element('li', {}, element('span', { className: 'step', textContent: sayRank(rank) }), scientific(name, rank));
