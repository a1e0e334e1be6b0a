// The list of a guide's species: drawn piece by piece as it is scrolled, so that ten thousand are open as fast as ten.

import { element } from './element.js';
import { say, sayRank } from './language.js';
import { card } from './species_cards.js';

const PIECE = 60; // species drawn at a time: some screens full
const PICTURE = 56; // side of a picture, px

/**
 * Show groups of species in `container`, which scrolls, from the first on.
 * @param {HTMLElement} container
 * @param {import('./species_search.js').Group[]} groups
 * @param {Object<string, object>} sheets of species.json, by name
 * @returns {() => boolean} draws one more piece; whether there was one
 */
export function showList(container, groups, sheets) {
  container.replaceChildren();
  container.scrollTop = 0;
  const pieces = cut(groups);
  const end = element('div', { className: 'end' });
  const more = () => {
    const { value: piece, done } = pieces.next();
    if (done) watcher.disconnect();
    else end.before(.../** @type {any[]} */ (piece).map((part) => section(part, sheets)));
    return !done;
  };
  const watcher = new IntersectionObserver(
    ([{ isIntersecting }]) => {
      if (!isIntersecting || !more()) return;
      watcher.unobserve(end); // it tells of changes only, and the end may still be in sight
      watcher.observe(end);
    },
    { root: container, rootMargin: '100%' },
  );
  container.append(end);
  more();
  watcher.observe(end);
  return more;
}

/** `groups` in pieces of about PIECE species; a larger group comes in parts, of which the first has its headings. */
function* cut(groups) {
  let piece = [];
  let room = PIECE;
  let above;
  for (const { species, ...group } of groups) {
    const isNew = group.above.name !== above;
    above = group.above.name;
    for (let start = 0; start < species.length; ) {
      const part = species.slice(start, start + room);
      piece.push({ ...group, species: part, hasHeading: start === 0, hasAbove: start === 0 && isNew });
      start += part.length;
      room -= part.length;
      if (room > 0) continue;
      yield piece;
      [piece, room] = [[], PIECE];
    }
  }
  if (piece.length) yield piece;
}

function section({ rank, name, above, species, hasHeading, hasAbove }, sheets) {
  const rows = species.map((each) => element('li', {}, card(each, sheets[each.name], 'row', PICTURE)));
  const part = element('section', { className: 'group' });
  part.style.setProperty('--rows', rows.length);
  if (hasAbove && above.rank) part.append(heading('h3', above));
  if (hasHeading && rank) part.append(heading(above.rank ? 'h4' : 'h3', { rank, name }));
  part.append(element('ul', {}, ...rows));
  return part;
}

const heading = (tag, { rank, name }) =>
  element(tag, name && rank === 'genus' ? { className: 'latin', lang: 'la' } : {}, name ?? say('species.unplaced', { rank: sayRank(rank) }));
