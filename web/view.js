// What the page shows. Text goes in as text, never as markup: labels and credits come from other people.

import { OTHER, climb, isNothing, leftOut } from './answer.js';
import { at, element } from './element.js';
import { choose, codes, nameOf, resaid, said, say, sayNumber, sayPercent, sayRank, spoken } from './language.js';
import { nameElement, title, vernacularOf } from './names.js';

const MAX_OTHERS = 4;
const MIN_SHOWN = 0.01; // below it an alternative is noise

/** Draw a probability as the filled part of a bar. */
function fill(bar, probability) {
  bar.style.setProperty('--share', `${100 * probability}%`);
  return bar;
}

/** Offer the languages that the page speaks. */
export function offerLanguages() {
  const options = codes().map((code) => element('option', { value: code, lang: code, textContent: nameOf(code) }));
  at('language').replaceChildren(...options);
  at('language').value = spoken();
  at('language').onchange = () => choose(at('language').value);
}

export const showContents = resaid((labels) => {
  const [order, absent] = [climb(labels), leftOut(labels)];
  const counts = order.map((rank) => {
    const count = labels.classes[rank].filter((name) => name !== OTHER && !absent[rank].has(name)).length;
    return say('rank.count', { count, rank: sayRank(rank, count) });
  });
  delete at('contents').dataset.say; // that it is being opened
  at('contents').textContent = counts.join(' · ');
});

/** How often a name may be wrong under `rule` (answer.js), where that was measured, and how often it was on test photos. */
export const showPromise = resaid((rule, { max_error: maxError, rules }) => {
  at('promise').hidden = !maxError || !rule.num_chosen_by;
  const share = inHundred(maxError ?? 0);
  const isSilent = Object.values(rule.thresholds).every((threshold) => threshold > 1);
  const told = rule === rules.measured.one ? 'page.promise' : 'page.promise-told';
  const promise = say(isSilent ? 'page.no-promise' : told, { share });
  at('promise').textContent = isSilent || !rule.tested ? promise : `${promise} ${sayTest(rule.tested)}`;
});

const inHundred = (share) => +(100 * share).toPrecision(2);

const sayTest = ({ num_photos: count, risk, risk_interval: [low, high] }) =>
  say('page.tested', { count, share: inHundred(risk), low: inHundred(low), high: inHundred(high) });

/** How much of the guide is here, in bytes. */
export function showProgress({ done, total }) {
  const megabytes = (bytes) => sayNumber(bytes / 1e6, 1);
  const bar = at('progress');
  bar.hidden = false;
  bar.max = total;
  bar.value = done;
  at('download').textContent = done < total ? say('page.downloading', { done: megabytes(done), total: megabytes(total) }) : say('page.starting');
}

/** What holds of use without a network. */
export const showOffline = resaid((text) => {
  at('offline').textContent = said(text);
});

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

/** The guide is open: a photo that waits is looked at. */
export function showOpened() {
  hideProgress();
  at('waiting').dataset.say = 'answer.looking';
  at('waiting').textContent = say('answer.looking');
}

/** What answers, and how fast. */
export const showEngine = resaid(({ backend, milliseconds }) => {
  at('engine').textContent = say('page.engine', { milliseconds: Math.max(1, Math.round(milliseconds)), backend });
});

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
  writeThumbnails(photos, onRemove);
  at('add').hidden = false;
  at('choose-part').hidden = false;
  at('answer').setAttribute('aria-busy', 'true');
  at('hint').hidden = true;
  at('waiting').hidden = !at('verdict').hidden;
  clearFailure();
}

const writeThumbnails = resaid((photos, onRemove) => {
  at('several').replaceChildren(...(photos.length < 2 ? [] : photos.map((photo, i) => thumbnail(photo, i + 1, onRemove))));
});

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
  writeReason.forget();
}

const writeReason = resaid((failure) => {
  at('reason').textContent = said(failure.text);
});

/** Say what went wrong, and offer to `retry` what may succeed later. */
export function showFailure(failure, retry) {
  at('answer').setAttribute('aria-busy', 'false');
  for (const id of ['verdict', 'hint', 'waiting']) at(id).hidden = true;
  writeReason(failure);
  at('again').hidden = !failure.canPass;
  at('again').onclick = retry;
  at('failure').hidden = false;
}

export function showAnswer(conclusion, labels, calibration) {
  writeAnswer(conclusion, labels, calibration);
  at('waiting').hidden = true;
  at('verdict').hidden = false;
  at('answer').setAttribute('aria-busy', 'false');
  // With the next frame, which lays the page out anyway: now it would be laid out within the task that writes it.
  requestAnimationFrame(() => at('answer').scrollIntoView({ block: 'nearest' }));
}

const writeAnswer = resaid(({ verdict, best, byRank, numLikely, rule }, labels, calibration) => {
  const [finest] = labels.ranks;
  const name = title(best.name, labels);
  const nothing = isNothing(verdict);
  at('rank').textContent = rankLine(verdict, sayRank(best.rank));
  at('name').replaceChildren(nameElement(name, best.rank, name === best.name));
  at('scientific').replaceChildren(nothing || name === best.name ? '' : nameElement(best.name, best.rank, true));
  for (const id of ['bar', 'confidence']) at(id).hidden = verdict === 'strange'; // what `other` is not
  fill(at('bar'), best.probability);
  at('confidence').textContent = say('answer.sure', { percent: sayPercent(best.probability) });
  at('remark').textContent = remark(verdict, best, byRank[finest][0]);
  at('lineage').hidden = nothing;
  at('lineage').replaceChildren(...best.lineage.map((step) => lineageStep(step, labels)));
  at('others-title').textContent = say(nothing ? 'answer.resembles' : 'answer.others');
  showLikely(nothing ? null : numLikely, calibration);
  at('unmeasured').hidden = calibration.max_error == null || rule.num_chosen_by > 0;
  showOthers(byRank[finest], best, labels);
});

/** An answer in one line: its name with its certainty, or that there is none. */
export function inOneLine({ verdict, best }, labels) {
  const name = title(best.name, labels);
  if (isNothing(verdict)) return say('answer.outside');
  return `${verdict === 'unsure' ? say('answer.perhaps', { rank: name }) : name} · ${sayPercent(best.probability)}`;
}

/** How many of the likeliest it takes to hold the right one, where that was measured and they are few. */
function showLikely(count, { set_target: target }) {
  at('likely').hidden = !target || count == null || count < 2 || count > MAX_OTHERS;
  at('likely').textContent = say('answer.likely', { share: Math.round(100 * (target ?? 0)), count: count ?? 0 });
}

/** What stands above the name: at which rank it is, or that it is none. */
function rankLine(verdict, rank) {
  if (isNothing(verdict)) return say('answer.outside');
  return verdict === 'unsure' ? say('answer.perhaps', { rank }) : rank;
}

function remark(verdict, best, likeliest) {
  if (verdict === 'unsure') return say('answer.unsure');
  if (isNothing(verdict)) return say('answer.unlike');
  if (best.rank === likeliest.rank) return '';
  const ranks = { finer: sayRank(likeliest.rank), rank: sayRank(best.rank) };
  return say(likeliest.name === OTHER ? 'answer.finer-outside' : 'answer.finer-unclear', ranks);
}

function lineageStep({ rank, name }, labels) {
  const shown = name === OTHER ? nameElement(say('answer.not-in-guide')) : nameElement(name, rank, true);
  return element(
    'li',
    {},
    element('span', { className: 'step', textContent: sayRank(rank) }),
    element('span', {}, shown),
    element('span', { className: 'vernacular' }, nameElement(vernacularOf(name, labels) ?? '')),
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
      const names = element('span', { className: 'names' }, element('span', {}, nameElement(read, rank, read === name)));
      if (read !== name && name !== OTHER) names.append(element('span', { className: 'second' }, nameElement(name, rank, true)));
      const row = element('li', {}, names, bar, element('span', { className: 'number', textContent: sayPercent(probability) }));
      row.dataset.name = name; // species.js puts pictures beside those that it knows
      return row;
    }),
  );
}

export const showExamples = resaid((examples, onChoose) => {
  at('examples').hidden = examples.length === 0;
  at('examples')
    .querySelector('ul')
    .replaceChildren(
      ...examples.map((example) => {
        const picture = element('img', { src: example.file, alt: example.label, loading: 'lazy', width: 84, height: 84 });
        const button = element('button', { type: 'button', title: say('examples.try', { label: example.label }) }, picture);
        button.addEventListener('click', () => onChoose(example));
        return element('li', {}, button);
      }),
    );
});
