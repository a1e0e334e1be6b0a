// The names of taxa as the page writes them: the vernacular one of the reader's language, or the Latin one as such.

import { OTHER } from './answer.js';
import { say, spoken } from './language.js';

/** Latin names of genera and species are set in italics; those of families are not, by convention. */
export const isItalic = (rank) => rank === 'species' || rank === 'genus';

/** What readers of the language that is spoken call a taxon, else what others do; undefined where nobody calls it anything. */
export const vernacularOf = (name, labels) => labels.vernaculars?.[spoken()]?.[name] ?? labels.vernacular[name];

/** The name to read: the vernacular one where there is one. */
export const title = (name, labels) => (name === OTHER ? say('answer.other') : (vernacularOf(name, labels) ?? name));

/** A name as an element: it runs in its own direction, and is read out as Latin where it is. */
export function nameElement(text, rank, isLatin) {
  const made = document.createElement('bdi');
  made.textContent = text;
  if (isLatin) Object.assign(made, { lang: 'la', dir: 'ltr', className: isItalic(rank) ? 'latin' : '' });
  return made;
}
