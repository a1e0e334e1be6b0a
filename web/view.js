// What the page shows. Text goes in as text, never as markup: labels and credits come from other people.

import { OTHER, climb } from './answer.js';

const MAX_OTHERS = 4;
const MIN_SHOWN = 0.01; // below it an alternative is noise
const LOOKING = 'Looking at the photo…';

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
const title = (name, labels) => (name === OTHER ? 'Something not in this guide' : (labels.vernacular[name] ?? name));

/** Latin names of genera and species are set in italics; those of families are not, by convention. */
const isItalic = (rank) => rank === 'species' || rank === 'genus';

export function showContents(labels) {
  const order = climb(labels);
  const counts = order.map((rank) => {
    const count = labels.classes[rank].filter((name) => name !== OTHER).length;
    return `${count} ${plural(rank, count)}`;
  });
  at('contents').textContent = counts.join(' · ');
}

/** How often a name may be wrong, where that was measured. */
export function showPromise({ max_error: maxError, min_confidence: minConfidence }) {
  if (!maxError) return;
  const share = `${+(100 * maxError).toPrecision(2)} in 100`;
  at('promise').textContent =
    minConfidence > 1
      ? `Too few photos were there to promise that no more than ${share} get a wrong name, so it names none.`
      : `It names a taxon only when so sure that no more than ${share} photos get a wrong name.`;
  at('promise').hidden = false;
}

/** How much of the guide is here, in bytes. */
export function showProgress({ done, total }) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const bar = at('progress');
  bar.hidden = false;
  bar.max = total;
  bar.value = done;
  at('download').textContent = done < total ? `Downloading: ${megabytes(done)} of ${megabytes(total)} MB` : 'Starting the model…';
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

function plural(rank, count) {
  if (count === 1 || rank === 'species') return rank;
  if (rank === 'genus') return 'genera';
  return rank.endsWith('y') ? `${rank.slice(0, -1)}ies` : `${rank}s`;
}

/** The download came to its end, or to nothing. */
export function hideProgress() {
  at('progress').hidden = true;
  at('download').textContent = '';
}

export function showEngine({ backend, milliseconds }) {
  hideProgress();
  at('waiting').textContent = LOOKING;
  at('engine').textContent = `Answers in ${Math.max(1, Math.round(milliseconds))} ms (${backend}).`;
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
  const button = element('button', { type: 'button', ariaLabel: `Take photo ${number} away`, textContent: '×' });
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

const MONTHS = 'January February March April May June July August September October November December'.split(' ');

/** Offer to say where and when; `onChange` is told what was chosen. */
export function offerOccasion(onChange, locate) {
  at('month').replaceChildren(
    element('option', { value: '', textContent: 'unknown' }),
    ...MONTHS.map((name, i) => element('option', { value: i + 1, textContent: name })),
  );
  at('month').onchange = ({ target }) => onChange({ month: Number(target.value) || null });
  at('nowhere').onclick = () => onChange({ latitude: null, longitude: null, from: null });
  at('here').onclick = async () => {
    at('place').textContent = 'Asking this device where it is…';
    try {
      onChange({ ...(await locate()), from: 'device' });
    } catch (error) {
      at('place').textContent = `This device does not say where it is${error.message ? ` (${error.message})` : ''}.`;
    }
  };
  at('occasion').hidden = false;
}

/** What is known of where and when, and of it what the answer made use of. */
export function showOccasion({ latitude, longitude, month, from }) {
  const side = (value, [positive, negative]) => `${Math.abs(value).toFixed(1)}° ${value < 0 ? negative : positive}`;
  const known = latitude != null;
  at('place').textContent = known
    ? `${side(latitude, 'NS')}, ${side(longitude, 'EW')}, ${from === 'device' ? 'where this device is' : 'as the photo says'}. It stays on this device.`
    : 'The place is not known, so it plays no part.';
  at('nowhere').hidden = !known;
  at('month').value = month ?? '';
}

const [RARE, OFTEN] = [1 / 4, 2]; // of how often it is photographed anywhere and at any time

/** How often what is named is photographed there and then: `ratio` to how often anywhere, null where nobody knows. */
export function showSeen(ratio, { latitude, month }) {
  const where = [latitude != null ? 'near there' : '', month ? `in ${MONTHS[month - 1]}` : ''].filter(Boolean).join(' ');
  const word = ratio == null ? '' : ratio < RARE ? 'Rarely' : ratio > OFTEN ? 'Often' : '';
  at('seen').textContent = word && `${word} photographed ${where}.`;
}

export function showAnswer({ verdict, best, byRank, numLikely }, labels, { set_target: target }) {
  const [finest] = labels.ranks;
  const name = title(best.name, labels);
  const outside = verdict === 'outside';
  at('rank').textContent = { taxon: best.rank, outside: 'Not in this guide', unsure: `${best.rank}, perhaps` }[verdict];
  at('name').textContent = name;
  at('name').classList.toggle('latin', name === best.name && isItalic(best.rank));
  at('scientific').textContent = outside || name === best.name ? '' : best.name;
  fill(at('bar'), best.probability);
  at('confidence').textContent = `${percent(best.probability)} sure`;
  at('remark').textContent = remark(verdict, best, byRank[finest][0]);
  at('lineage').hidden = outside;
  at('lineage').replaceChildren(...best.lineage.map((step) => lineageStep(step, labels)));
  at('others-title').textContent = outside ? 'What it resembles most' : 'What else it could be';
  at('likely').hidden = outside || !target || numLikely < 2 || numLikely > MAX_OTHERS;
  at('likely').textContent = `In ${Math.round(100 * (target ?? 0))} of 100 photos one of the ${numLikely} likeliest is right.`;
  showOthers(byRank[finest], best, labels);
  at('waiting').hidden = true;
  at('verdict').hidden = false;
  at('answer').setAttribute('aria-busy', 'false');
  at('answer').scrollIntoView({ block: 'nearest' });
}

function remark(verdict, best, likeliest) {
  if (verdict === 'unsure') return 'Not sure even of this. Try a closer photo, in focus, of one subject.';
  if (verdict === 'outside') return 'It is like nothing that this guide knows, or the photo shows too little of it.';
  if (best.rank === likeliest.rank) return '';
  const why = likeliest.name === OTHER ? 'is probably not in this guide' : 'cannot be told from this photo';
  return `The ${likeliest.rank} ${why}, but the ${best.rank} is clear.`;
}

function lineageStep({ rank, name }, labels) {
  const vernacular = labels.vernacular[name];
  return element(
    'li',
    {},
    element('span', { className: 'step', textContent: rank }),
    element('span', { className: isItalic(rank) ? 'latin' : '', textContent: name === OTHER ? 'not in this guide' : name }),
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
        const button = element('button', { type: 'button', title: `Try this photo of ${example.label}` }, picture);
        button.addEventListener('click', () => choose(example));
        return element('li', {}, button);
      }),
    );
}
