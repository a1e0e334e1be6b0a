// The species of a guide in the order of their relatives, and those of them that a few typed letters mean. No DOM: this runs
// in Node too.

import { OTHER, climb, leftOut } from './answer.js';

/**
 * A species of the guide; of a guide whose first rank is another one, a taxon of that.
 * @typedef {{name: string, vernacular: string, lineage: {rank: string, name: string, vernacular: string}[]}} Species
 * `vernacular` is empty where a taxon has no such name. `lineage` runs from the broadest rank to the species itself, without
 * ranks at which it is not known.
 */

/**
 * Species of one taxon.
 * @typedef {{rank: ?string, name: ?string}} Taxon whose `rank` is null where the guide has no broader one, and whose `name`
 * is null where it is not known
 * @typedef {Taxon & {above: Taxon, species: Species[]}} Group
 */

const LETTERS = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', ı: 'i', þ: 'th' }; // to Unicode no others with a mark

/** What is left of a text when case and marks on letters do not count: `Épilobe` is `epilobe`. */
export function fold(text) {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[ßæœøđðłıþ]/g, (letter) => LETTERS[letter]);
}

const splitWords = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/**
 * Finds species of a guide by their names; in a guide of some regions those that it may name.
 * @param {Labels} labels
 * @returns {(name: string) => ?Species}
 */
export function speciesFinder(labels) {
  const [first, ...higher] = climb(labels);
  const broadest = higher.reverse();
  const absent = leftOut(labels)[first];
  const known = new Set(labels.classes[first].filter((name) => !absent.has(name)));
  const taxon = (rank, name) => ({ rank, name, vernacular: labels.vernacular[name] ?? '' });
  return (name) => {
    if (name === OTHER || !known.has(name)) return null;
    const above = labels.parents[first]?.[name] ?? {};
    const lineage = broadest.filter((rank) => above[rank]).map((rank) => taxon(rank, above[rank]));
    return { name, vernacular: labels.vernacular[name] ?? '', lineage: [...lineage, taxon(first, name)] };
  };
}

/**
 * All species of a guide in groups by the rank next to the first: relatives side by side, what has no known ones last.
 * @returns {Group[]}
 */
export function groupSpecies(labels) {
  const [first, inner = null, outer = null] = climb(labels);
  const broadest = climb(labels).slice(1).reverse();
  const find = speciesFinder(labels);
  const parents = labels.parents[first] ?? {};
  const key = (name) => broadest.map((rank) => `${parents[name]?.[rank] ?? '\uffff'}\0`).join('');
  const groups = new Map();
  for (const name of labels.classes[first]) {
    const species = find(name);
    if (!species) continue;
    const at = (rank) => ({ rank, name: parents[name]?.[rank] ?? null });
    const place = key(name);
    if (!groups.has(place)) groups.set(place, { ...at(inner), above: at(outer), species: [] });
    groups.get(place).species.push(species);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, group]) => group);
  for (const { species } of sorted) species.sort((a, b) => (a.name < b.name ? -1 : 1));
  return sorted;
}

const words = new WeakMap(); // of each species, all that it is found by: folded words, each after a space

function wordsOf(species) {
  if (!words.has(species)) {
    const names = species.lineage.flatMap(({ name, vernacular }) => [name, vernacular]).join(' ');
    words.set(species, ` ${splitWords(names).join(' ')}`);
  }
  return words.get(species);
}

/**
 * Look up the words of all species ahead, as long as there is time.
 * @param {Group[]} groups
 * @returns {(hasTime: () => boolean) => boolean} goes on with it; whether there is more to do
 */
export function readAhead(groups) {
  const species = groups.flatMap((group) => group.species).values();
  return (hasTime) => {
    while (hasTime()) {
      const { value, done } = species.next();
      if (done) return false;
      wordsOf(value);
    }
    return true;
  };
}

/**
 * What of `groups` is meant by `text`: the species in whose names, or those of their genus and family, each of its words
 * begins a word.
 * @param {Group[]} groups
 * @returns {Group[]} without empty ones
 */
export function search(groups, text) {
  const wanted = splitWords(text).map((word) => ` ${word}`);
  if (!wanted.length) return groups;
  const isMeant = (species) => wanted.every((word) => wordsOf(species).includes(word));
  return groups.map((group) => ({ ...group, species: group.species.filter(isMeant) })).filter(({ species }) => species.length);
}
