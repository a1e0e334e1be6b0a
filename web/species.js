// The species of this guide: to browse and to search without any photo, and beside an answer those that it may be.

import { at, element } from './element.js';
import { resaid, say, sayRank, spoken } from './language.js';
import { card } from './species_cards.js';
import { showList } from './species_list.js';
import { groupSpecies, readAhead, search, speciesFinder } from './species_search.js';
import { writeSheet } from './species_sheet.js';

const CARD = 96; // side of a picture beside an answer, px
const THUMB = 44;

/**
 * Make the species of a guide known to the page.
 * @param {object} labels of labels.json
 * @param {() => Promise<Object<string, Sheet>>} readSheets reads species.json; asked for when something of it is to be shown
 */
export function openSpecies(labels, readSheets) {
  let opened = null;
  // Without photos and look-alikes the names are still there.
  const open = () => (opened ??= readSheets().catch(() => ({})).then((sheets) => new Guide(labels, sheets)));
  at('browse').hidden = false;
  at('browse').onclick = async () => (await open()).browse();
  return { showCandidates: resaid(async (conclusion) => (await open()).showCandidates(conclusion)) };
}

class Guide {
  /** @param {Object<string, Sheet>} sheets of species.json, by name */
  constructor(labels, sheets) {
    this.sheets = sheets;
    this.more = () => false;
    resaid(() => this.speak(labels))();
    for (const dialog of [at('species'), at('sheet')]) listen(dialog);
    at('search').oninput = () => this.list();
    at('species').onkeydown = (event) => this.walk(event);
    for (const id of ['species', 'sheet', 'references', 'others']) {
      at(id).onclick = ({ target }) => {
        const button = target.closest('[data-species]');
        if (button) this.show(button.dataset.species);
      };
    }
  }

  /** Call the species what readers of the language that is spoken call them. */
  speak(labels) {
    this.labels = { ...labels, vernacular: { ...labels.vernacular, ...labels.vernaculars?.[spoken()] } };
    this.speciesOf = speciesFinder(this.labels);
    this.groups = null;
    if (at('species').open) this.list();
    if (at('sheet').open) this.show(this.shown);
  }

  find(name) {
    const species = this.speciesOf(name);
    return species ? { species, sheet: this.sheets[name] } : null;
  }

  browse() {
    at('search').value = '';
    this.list();
    at('species').showModal();
    if (matchMedia('(pointer: fine)').matches) at('search').focus(); // a phone's keyboard would hide the list
    whenIdle(readAhead(this.groups)); // else the first letter would wait for it
  }

  /** List the species that the search means. */
  list() {
    this.groups ??= groupSpecies(this.labels);
    const found = search(this.groups, at('search').value);
    const count = found.reduce((sum, { species }) => sum + species.length, 0);
    const [rank] = this.labels.ranks;
    at('found').textContent = count ? say('rank.count', { count, rank: sayRank(rank, count) }) : say('species.none');
    this.more = showList(at('species-list'), found, this.sheets);
  }

  /** Up and down walk through the list; what is not drawn yet is drawn on the way. */
  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = () => [...at('species-list').querySelectorAll('.row')];
    const place = rows().indexOf(document.activeElement) + step; // from the search, which is none of them, down to the first
    if (place >= rows().length) this.more();
    event.preventDefault();
    if (place < 0) at('search').focus();
    else rows()[place]?.focus();
  }

  show(name) {
    this.shown = name;
    const { species, sheet = {} } = this.find(name);
    writeSheet(species, sheet, (other) => this.find(other));
    at('sheet').scrollTop = 0;
    if (!at('sheet').open) at('sheet').showModal();
    at('sheet-name').focus();
  }

  /** Beside an answer: the species that is named with its look-alikes, and a picture of all else that it could be. */
  showCandidates({ best }) {
    const named = this.find(best.name);
    const alike = Object.keys(named?.sheet?.look_alikes ?? {}).map((name) => this.find(name)).filter(Boolean);
    const shown = named ? [named, ...alike] : [];
    at('references').hidden = shown.length === 0;
    at('references-title').textContent = say(alike.length ? 'species.look-alikes' : 'species.looks');
    at('references-list').replaceChildren(
      ...shown.map(({ species, sheet }) => element('li', {}, card(species, sheet, 'reference', CARD))),
    );
    for (const row of at('others').querySelectorAll('[data-name]')) this.illustrate(row);
  }

  /** Turn the names of a candidate into a button with its picture. */
  illustrate(row) {
    const found = this.find(row.dataset.name);
    if (found) row.querySelector('.names')?.replaceWith(card(found.species, found.sheet, 'candidate', THUMB));
  }
}

/** Go on with something, a little at a time, when the page has nothing else to do; in browsers that can tell. */
function whenIdle(goOn) {
  globalThis.requestIdleCallback?.((deadline) => {
    if (goOn(() => deadline.timeRemaining() > 1)) whenIdle(goOn);
  });
}

/** A click beside a dialog closes it, as the button in it does. */
function listen(dialog) {
  dialog.querySelector('.close').onclick = () => dialog.close();
  dialog.addEventListener('mousedown', ({ target }) => {
    if (target === dialog) dialog.close();
  });
}
