// What the page shows. Text goes in as text, never as markup: labels and credits come from other people.

import { OTHER, climb } from './answer.js';

const MAX_OTHERS = 4;
const MIN_SHOWN = 0.01; // below it an alternative is noise

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
  at('contents').textContent = `${counts.join(' · ')} · works offline`;
}

function plural(rank, count) {
  if (count === 1 || rank === 'species') return rank;
  if (rank === 'genus') return 'genera';
  return rank.endsWith('y') ? `${rank.slice(0, -1)}ies` : `${rank}s`;
}

export function showEngine({ backend, milliseconds }) {
  at('engine').textContent = `Answers in ${Math.max(1, Math.round(milliseconds))} ms (${backend}).`;
}

export function showPhoto(file, credit) {
  const photo = at('photo');
  URL.revokeObjectURL(photo.src);
  photo.src = URL.createObjectURL(file);
  photo.hidden = false;
  at('slot').hidden = true;
  at('caption').textContent = credit ? [credit.label, credit.rights_holder, credit.licence].filter(Boolean).join(' · ') : '';
  at('answer').setAttribute('aria-busy', 'true');
  at('failure').hidden = true;
}

export function showFailure(message) {
  at('answer').setAttribute('aria-busy', 'false');
  at('verdict').hidden = true;
  at('hint').hidden = true;
  at('failure').textContent = message;
  at('failure').hidden = false;
}

export function showAnswer({ best, sure, byRank }, labels) {
  const [finest] = labels.ranks;
  const name = title(best.name, labels);
  at('rank').textContent = sure ? best.rank : `${best.rank}, perhaps`;
  at('name').textContent = name;
  at('name').classList.toggle('latin', name === best.name && isItalic(best.rank));
  at('scientific').textContent = name === best.name ? '' : best.name;
  fill(at('bar'), best.probability);
  at('confidence').textContent = `${percent(best.probability)} sure`;
  at('remark').textContent = remark(best, sure, finest);
  at('lineage').replaceChildren(...best.lineage.map((step) => lineageStep(step, labels)));
  showOthers(byRank[finest], best, labels);
  at('hint').hidden = true;
  at('verdict').hidden = false;
  at('answer').setAttribute('aria-busy', 'false');
  at('answer').scrollIntoView({ block: 'nearest' });
}

function remark(best, sure, finest) {
  if (!sure) return 'Not sure even of this. Try a closer photo, in focus, of one subject.';
  if (best.rank === finest) return '';
  return `The ${finest} cannot be told from this photo, but the ${best.rank} is clear.`;
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
  const others = ranked.filter(({ name, probability }) => name !== best.name && probability >= MIN_SHOWN).slice(0, MAX_OTHERS);
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
