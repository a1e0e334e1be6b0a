// The field notebook on the page: keeping an answer, and the dialog that shows, exports and deletes what was kept.

import { OTHER, isNothing } from './answer.js';
import { at, element } from './element.js';
import { explain } from './failures.js';
import { laterPlace, resaid, said, say, sayPercent, sayRank } from './language.js';
import { later } from './later.js';
import { nameElement, vernacularOf } from './names.js';
import { amend, countFinds, keep, onChange, readFinds, remove, removeAll } from './notebook.js';
import { writeArchive } from './notebook_archive.js';
import { LICENCES, writeCsv } from './notebook_tables.js';
import { recall, remember } from './remembered.js';
import { shrink } from './shrink.js';

const MAX_ALTERNATIVES = 4;
const MIN_KEPT = 0.01; // below it an alternative is noise
const JUST_NOW = 3_600_000; // milliseconds: a photo that is no older was taken now, where it does not say when
const ABOUT = { recorder: 'fieldguide recorder', licence: 'fieldguide licence' }; // by what they are remembered

const keepButton = () => at('keep').querySelector('button');

let offered = null; // the answer that can be kept now

/** Offer to keep an answer. An example is nobody's find. */
export function offerToKeep(answer) {
  if (answer.photos.some((photo) => photo.credit)) return;
  offered = answer;
  keepButton().disabled = false;
  writeKeep('');
  at('keep').hidden = false;
}

/** There is no answer any more that could be kept. */
export function withdraw() {
  offered = null;
  at('keep').hidden = true;
}

const writeKeep = resaid((text) => {
  at('keep').querySelector('[role=status]').textContent = said(text);
});

async function keepOffered() {
  const answer = offered;
  const tell = (text) => answer === offered && writeKeep(text);
  keepButton().disabled = true;
  tell(later('notebook.keeping'));
  try {
    const photos = [];
    for (const photo of answer.photos) photos.push(await shrink(photo.file));
    await keep(describe(answer, photos));
    tell(later('notebook.kept'));
  } catch (error) {
    tell(explain(error, 'failure.keeping').text);
    if (answer === offered) keepButton().disabled = false;
  }
}

/** @returns {import('./notebook.js').Find} */
function describe({ photos, conclusion: { verdict, best, byRank }, labels, occasion, version }, kept) {
  // A month that the reader chose says that it was not just now.
  const taken = occasion.taken ?? (occasion.month == null ? timeOf(photos[0].file) : null);
  const [finest] = labels.ranks;
  const isOther = ({ name, probability }) => ![best.name, OTHER].includes(name) && probability >= MIN_KEPT;
  return {
    id: uuid(),
    kept: new Date().toISOString(),
    taken,
    month: occasion.month ?? (taken ? Number(taken.slice(5, 7)) : null),
    latitude: occasion.latitude,
    longitude: occasion.longitude,
    photos: kept,
    answer: { verdict, ...best, vernacular: vernacularOf(best.name, labels) ?? '' },
    alternatives: byRank[finest].filter(isOther).slice(0, MAX_ALTERNATIVES).map(({ rank, name, probability }) => ({ rank, name, probability })),
    note: '',
    model: version,
    guide: document.title,
  };
}

/** When a file without tags was taken: now, if it is new, for copies have the time of their copying. */
function timeOf({ lastModified }) {
  if (!(Date.now() - lastModified < JUST_NOW)) return null;
  const local = new Date(lastModified - 60_000 * new Date(lastModified).getTimezoneOffset());
  return local.toISOString().slice(0, 19);
}

/** A random UUID (RFC 9562, version 4), also on a page over plain http, where browsers make none. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Make the buttons of the notebook work. */
export function openNotebook() {
  const dialog = at('notebook');
  keepButton().onclick = keepOffered;
  at('open-notebook').onclick = () => {
    dialog.showModal();
    attempt(showFinds);
  };
  at('close-notebook').onclick = () => dialog.close();
  dialog.addEventListener('close', forgetFinds);
  at('export-csv').onclick = () => attempt(async () => {
    download(new Blob([writeCsv(await readFinds(), about())], { type: 'text/csv' }), 'csv');
  });
  at('export-archive').onclick = () => attempt(async () => download(await writeArchive(await readFinds(), about()), 'zip'));
  at('delete-all').onclick = () => attempt(async () => {
    if (confirm(say('notebook.confirm-all', { count: await countFinds() }))) await removeAll();
  });
  offerAbout();
  onChange(() => attempt(showNumber));
  onChange(() => dialog.open && attempt(showFinds));
  showNumber().catch(() => {}); // without a notebook the page works; whoever opens it is told
}

/** Run something of the notebook; what goes wrong is said in it. */
async function attempt(act) {
  writeFailure('');
  try {
    await act();
  } catch (error) {
    writeFailure(explain(error, 'failure.notebook').text);
  }
}

const writeFailure = resaid((text) => {
  at('notebook-failure').textContent = said(text);
  at('notebook-failure').hidden = !text;
});

async function showNumber() {
  writeNumber(await countFinds());
}

const writeNumber = resaid((count) => {
  at('num-finds').textContent = count ? `· ${say('notebook.count', { count })}` : '';
});

const about = () => ({ recorder: at('recorder').value.trim(), licence: at('licence').value });

const offerAbout = resaid(() => {
  const none = element('option', { value: '', textContent: say('notebook.no-licence') });
  at('licence').replaceChildren(none, ...Object.keys(LICENCES).map((name) => element('option', { value: name, textContent: name })));
  for (const [id, key] of Object.entries(ABOUT)) {
    at(id).value = recall(key) ?? '';
    at(id).onchange = () => remember(key, about()[id]);
  }
});

function download(blob, ending) {
  const address = URL.createObjectURL(blob);
  element('a', { href: address, download: `finds-${new Date().toISOString().slice(0, 10)}.${ending}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // by then the browser has begun to save it
}

/** The entries that are shown, and the addresses of their photos, by the ids of their finds. */
const entries = new Map();

/** Show all finds; entries that stay are left as they are, for somebody may be writing in one. */
async function showFinds() {
  const finds = await readFinds();
  const ids = new Set(finds.map(({ id }) => id));
  for (const id of [...entries.keys()]) if (!ids.has(id)) forget(id);
  finds.forEach((find, i) => {
    if (!entries.has(find.id)) entries.set(find.id, drawFind(find));
    const { item } = entries.get(find.id);
    const there = at('finds').children[i] ?? null;
    if (there !== item) at('finds').insertBefore(item, there);
  });
  at('notebook-empty').hidden = finds.length > 0;
  at('notebook-tools').hidden = finds.length === 0;
}

function forget(id) {
  const { item, addresses } = entries.get(id);
  item.remove();
  for (const address of addresses) URL.revokeObjectURL(address);
  entries.delete(id);
}

function forgetFinds() {
  for (const id of [...entries.keys()]) forget(id);
}

function drawFind(find) {
  const { verdict, rank, name, vernacular, probability } = find.answer;
  const nothing = isNothing(verdict);
  const shown = nothing ? say('answer.outside') : vernacular || name;
  const addresses = find.photos.map((photo) => URL.createObjectURL(photo));
  const pictures = addresses.map((src, i) => {
    const alt = say('notebook.photo', { number: i + 1, name: shown });
    return element('img', { src, alt, loading: 'lazy', decoding: 'async', width: 112, height: 84 });
  });
  const above = verdict === 'unsure' ? say('answer.perhaps', { rank: sayRank(rank) }) : nothing ? '' : sayRank(rank);
  const facts = verdict === 'strange' ? [] : [say('answer.sure', { percent: sayPercent(probability) })];
  if (find.latitude != null) facts.push(said(laterPlace(find.latitude, find.longitude)));
  const heading = element('h3', {}, nameElement(shown, rank, shown === name));
  const latin = shown === name || nothing ? '' : nameElement(name, rank, true);
  const item = element(
    'li',
    {},
    element('div', { className: 'pictures' }, ...pictures),
    element('div', {}, element('p', { className: 'rank', textContent: above }), heading, element('p', { className: 'remark' }, latin)),
    element('p', { className: 'remark', textContent: facts.join(' · ') }),
    drawDate(find),
    drawNote(find),
    drawDelete(find.id, shown),
  );
  return { item, addresses };
}

function drawDate({ id, taken, month }) {
  const input = element('input', { type: 'datetime-local', value: taken?.slice(0, 16) ?? '' });
  input.onchange = () => {
    const time = input.value && `${input.value}:00`.slice(0, 19);
    attempt(() => amend(id, { taken: time || null, month: time ? Number(time.slice(5, 7)) : month }));
  };
  return element('label', {}, element('span', { textContent: say('notebook.when') }), ' ', input);
}

function drawNote({ id, note }) {
  const input = element('textarea', { value: note, rows: 2 });
  input.onchange = () => attempt(() => amend(id, { note: input.value }));
  return element('label', {}, element('span', { textContent: say('notebook.note') }), ' ', input);
}

function drawDelete(id, name) {
  const button = element('button', { type: 'button', className: 'grave', textContent: say('notebook.delete') });
  button.onclick = () => attempt(async () => {
    if (!confirm(say('notebook.confirm-one', { name }))) return;
    await remove(id);
    at('close-notebook').focus(); // the button is gone
  });
  return button;
}
