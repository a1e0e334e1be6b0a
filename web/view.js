// What the page shows. Text goes in as text, never as markup: labels and credits come from other people.

import { OTHER, climb } from './answer.js';
import { say, sayMonth, sayRank } from './language.js';

const MAX_OTHERS = 4;
const MIN_SHOWN = 0.01; // below it an alternative is noise

/** @type {(id: string) => any} */
const at = (id) => document.getElementById(id);
const percent = (probability) => `${Math.min(99, Math.round(probability * 100))} %`;

function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

/** Draw a probability as the filled part of a bar. */
function fill(bar, probability) {
  bar.style.setProperty('--share', `${100 * probability}%`);
  return bar;
}

/** The name to read: the vernacular one where there is one. */
const title = (name, labels) => (name === OTHER ? say('answer.other') : (labels.vernacular[name] ?? name));

/** Latin names of genera and species are set in italics; those of families are not, by convention. */
const isItalic = (rank) => rank === 'species' || rank === 'genus';

export function showContents(labels) {
  const order = climb(labels);
  const counts = order.map((rank) => {
    const count = labels.classes[rank].filter((name) => name !== OTHER).length;
    return say('rank.count', { count, rank: sayRank(rank, count) });
  });
  at('contents').textContent = counts.join(' · ');
}

/** How often a name may be wrong, where that was measured. */
export function showPromise({ max_error: maxError, min_confidence: minConfidence }) {
  if (!maxError) return;
  const share = +(100 * maxError).toPrecision(2);
  at('promise').textContent = say(minConfidence > 1 ? 'page.no-promise' : 'page.promise', { share });
  at('promise').hidden = false;
}

/** How much of the guide is here, in bytes. */
export function showProgress({ done, total }) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const bar = at('progress');
  bar.hidden = false;
  bar.max = total;
  bar.value = done;
  at('download').textContent = done < total ? say('page.downloading', { done: megabytes(done), total: megabytes(total) }) : say('page.starting');
}

/** What holds of use without a network. */
export function showOffline(text) {
  at('offline').textContent = text;
}

/** Another export is here; `apply` changes to it. */
export function offerUpdate(apply) {
  at('update').hidden = false;
  at('update').querySelector('button').onclick = apply;
}

/** The download came to its end, or to nothing. */
export function hideProgress() {
  at('progress').hidden = true;
  at('download').textContent = '';
}

export function showEngine({ backend, milliseconds }) {
  hideProgress();
  at('waiting').textContent = say('answer.looking');
  at('engine').textContent = say('page.engine', { milliseconds: Math.max(1, Math.round(milliseconds)), backend });
}

let pictures = new Map(); // address of each photo that is shown

/** Show the photos of one subject, the newest large; `onRemove` is told which of several is not wanted any more. */
export function showPhotos(photos, onRemove) {
  for (const [photo, address] of pictures) if (!photos.includes(photo)) URL.revokeObjectURL(address);
  pictures = new Map(photos.map((photo) => [photo, pictures.get(photo) ?? URL.createObjectURL(photo.file)]));
  const newest = photos.at(-1);
  const plate = at('photo');
  plate.onload = () => showPlate(true);
  plate.onerror = () => showPlate(false); // a file that this browser cannot show
  plate.src = pictures.get(newest);
  showPlate(true);
  const { label, rights_holder: holder, licence } = newest.credit ?? {};
  at('caption').textContent = [label, holder, licence].filter(Boolean).join(' · ');
  at('several').hidden = photos.length < 2;
  at('several').replaceChildren(...(photos.length < 2 ? [] : photos.map((photo, i) => thumbnail(photo, i + 1, onRemove))));
  at('add').hidden = false;
  at('answer').setAttribute('aria-busy', 'true');
  at('hint').hidden = true;
  at('waiting').hidden = !at('verdict').hidden;
  clearFailure();
}

function thumbnail(photo, number, onRemove) {
  const image = element('img', { src: pictures.get(photo), alt: '', width: 64, height: 64 });
  const button = element('button', { type: 'button', ariaLabel: say('photo.remove', { number }), textContent: '×' });
  button.onclick = () => {
    onRemove(photo);
    at('more').focus(); // the button is gone
  };
  return element('li', {}, image, button);
}

/** The photo, or the place for one. */
function showPlate(hasPhoto) {
  at('photo').hidden = !hasPhoto;
  at('slot').hidden = hasPhoto;
}

export function clearFailure() {
  at('failure').hidden = true;
  at('reason').textContent = '';
}

/** Say what went wrong, and offer to `retry` what may succeed later. */
export function showFailure({ message, canPass }, retry) {
  at('answer').setAttribute('aria-busy', 'false');
  for (const id of ['verdict', 'hint', 'waiting']) at(id).hidden = true;
  at('reason').textContent = message;
  at('again').hidden = !canPass;
  at('again').onclick = retry;
  at('failure').hidden = false;
}

const MONTHS = Array.from({ length: 12 }, (_, i) => i + 1);

/** Offer to say where and when; `onChange` is told what was chosen. */
export function offerOccasion(onChange, locate) {
  at('month').replaceChildren(
    element('option', { value: '', textContent: say('occasion.unknown') }),
    ...MONTHS.map((month) => element('option', { value: month, textContent: sayMonth(month) })),
  );
  at('month').onchange = ({ target }) => onChange({ month: Number(target.value) || null });
  at('nowhere').onclick = () => onChange({ latitude: null, longitude: null, from: null });
  at('here').onclick = async () => {
    at('place').textContent = say('occasion.asking');
    try {
      onChange({ ...(await locate()), from: 'device' });
    } catch (error) {
      at('place').textContent = say('occasion.refused', { reason: error.message || say('occasion.cannot') });
    }
  };
  at('occasion').hidden = false;
}

/** What is known of where and when, and of it what the answer made use of. */
export function showOccasion({ latitude, longitude, month, from }) {
  const side = (value, positive, negative) => `${Math.abs(value).toFixed(1)}° ${value < 0 ? negative : positive}`;
  const known = latitude != null;
  at('place').textContent = known
    ? say(`occasion.from-${from}`, { place: `${side(latitude, 'N', 'S')}, ${side(longitude, 'E', 'W')}` })
    : say('occasion.no-place');
  at('nowhere').hidden = !known;
  at('month').value = month ?? '';
}

const [RARE, OFTEN] = [1 / 4, 2]; // of how often it is photographed anywhere and at any time

/** How often what is named is photographed there and then: `ratio` to how often anywhere, null where nobody knows. */
export function showSeen(ratio, { latitude, month }) {
  const known = ratio == null ? null : ratio < RARE ? 'occasion.rarely' : ratio > OFTEN ? 'occasion.often' : null;
  const [near, inMonth] = [latitude != null, month != null];
  const where = near && inMonth ? 'occasion.near-in' : near ? 'occasion.near' : 'occasion.in';
  at('seen').textContent = known ? say(known, { when: say(where, { month: inMonth ? sayMonth(month) : '' }) }) : '';
}

export function showAnswer({ verdict, best, byRank, numLikely }, labels, { set_target: target }) {
  const [finest] = labels.ranks;
  const name = title(best.name, labels);
  const outside = verdict === 'outside';
  at('rank').textContent = rankLine(verdict, sayRank(best.rank));
  at('name').textContent = name;
  at('name').classList.toggle('latin', name === best.name && isItalic(best.rank));
  at('scientific').textContent = outside || name === best.name ? '' : best.name;
  fill(at('bar'), best.probability);
  at('confidence').textContent = say('answer.sure', { percent: percent(best.probability) });
  at('remark').textContent = remark(verdict, best, byRank[finest][0]);
  at('lineage').hidden = outside;
  at('lineage').replaceChildren(...best.lineage.map((step) => lineageStep(step, labels)));
  at('others-title').textContent = say(outside ? 'answer.resembles' : 'answer.others');
  at('likely').hidden = outside || !target || numLikely < 2 || numLikely > MAX_OTHERS;
  at('likely').textContent = say('answer.likely', { share: Math.round(100 * (target ?? 0)), count: numLikely ?? 0 });
  showOthers(byRank[finest], best, labels);
  at('waiting').hidden = true;
  at('verdict').hidden = false;
  at('answer').setAttribute('aria-busy', 'false');
  at('answer').scrollIntoView({ block: 'nearest' });
}

/** What stands above the name: at which rank it is, or that it is none. */
function rankLine(verdict, rank) {
  if (verdict === 'outside') return say('answer.outside');
  return verdict === 'unsure' ? say('answer.perhaps', { rank }) : rank;
}

function remark(verdict, best, likeliest) {
  if (verdict === 'unsure') return say('answer.unsure');
  if (verdict === 'outside') return say('answer.unlike');
  if (best.rank === likeliest.rank) return '';
  const ranks = { finer: sayRank(likeliest.rank), rank: sayRank(best.rank) };
  return say(likeliest.name === OTHER ? 'answer.finer-outside' : 'answer.finer-unclear', ranks);
}

function lineageStep({ rank, name }, labels) {
  const vernacular = labels.vernacular[name];
  return element(
    'li',
    {},
    element('span', { className: 'step', textContent: sayRank(rank) }),
    element('span', { className: isItalic(rank) ? 'latin' : '', textContent: name === OTHER ? say('answer.not-in-guide') : name }),
    element('span', { className: 'vernacular', textContent: vernacular ?? '' }),
  );
}

function showOthers(ranked, best, labels) {
  // Beside "not in this guide" the same, at another rank, would say nothing.
  const isOther = ({ name, probability }) => name !== best.name && probability >= MIN_SHOWN;
  const others = ranked.filter(isOther).slice(0, MAX_OTHERS);
  at('others-title').hidden = others.length === 0;
  at('others').replaceChildren(
    ...others.map(({ name, rank, probability }) => {
      const bar = fill(element('span', { className: 'bar', ariaHidden: 'true' }), probability);
      const read = title(name, labels);
      const latin = read === name && isItalic(rank) ? 'latin' : '';
      const names = element('span', { className: 'names' }, element('span', { className: latin, textContent: read }));
      if (read !== name && name !== OTHER) names.append(element('span', { className: 'latin second', textContent: name }));
      return element('li', {}, names, bar, element('span', { className: 'number', textContent: percent(probability) }));
    }),
  );
}

export function showExamples(examples, choose) {
  at('examples').hidden = examples.length === 0;
  at('examples')
    .querySelector('ul')
    .replaceChildren(
      ...examples.map((example) => {
        const picture = element('img', { src: example.file, alt: example.label, loading: 'lazy', width: 84, height: 84 });
        const button = element('button', { type: 'button', title: say('examples.try', { label: example.label }) }, picture);
        button.addEventListener('click', () => choose(example));
        return element('li', {}, button);
      }),
    );
}
