// What the page says, in the reader's language: every sentence is an entry of languages/*.json, English where one is missing.

import ar from './languages/ar.json' with { type: 'json' };
import de from './languages/de.json' with { type: 'json' };
import en from './languages/en.json' with { type: 'json' };
import es from './languages/es.json' with { type: 'json' };
import fr from './languages/fr.json' with { type: 'json' };
import nl from './languages/nl.json' with { type: 'json' };
import { later } from './later.js';
import { recall, remember } from './remembered.js';

const LANGUAGES = { ar, de, en, es, fr, nl };
const RIGHT_TO_LEFT = new Set(['ar']);
const CHOICE = 'fieldguide language'; // under which it is remembered what the reader chose

/** The language that the page speaks, a BCP 47 code. */
let language = 'en';
const listeners = new Set();

/** The codes of all languages. */
export const codes = () => Object.keys(LANGUAGES);

/** The language that the page speaks. */
export const spoken = () => language;

/** What speakers of a language call it. */
export const nameOf = (code) => LANGUAGES[code]['page.own-language'];

/** @returns {text is import('./later.js').Later} */
const isOurs = (text) => typeof text?.say === 'string';

/** What `later` made, or a text that is none of ours, as a text. */
export const said = (text) => (isOurs(text) ? say(text.say, text.values) : typeof text === 'number' ? sayNumber(text) : text);

/**
 * The text of an entry.
 * @param {string} key of languages/en.json
 * @param {Object<string, string|number|import('./later.js').Later>} values for the {names} in it; `count` chooses between an entry's plural forms
 * @returns {string}
 */
export function say(key, values = {}) {
  const entry = LANGUAGES[language][key] ?? en[key];
  if (entry === undefined) throw new Error(`no text is called ${key}`);
  const form = typeof entry === 'string' ? entry : (entry[new Intl.PluralRules(language).select(Number(values.count ?? 1))] ?? entry.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => isOurs(values[name]) ? said(values[name]) : isolate(said(values[name])));
}

/** A name or figure that keeps its own direction within a sentence that runs from right to left. */
const isolate = (text) => (RIGHT_TO_LEFT.has(language) ? `\u2068${text}\u2069` : text);

/** Whether there is such an entry. */
export const isKnown = (key) => key in en;

/** What a rank is called; a rank that no language knows keeps its own name. */
export const sayRank = (rank, count = 1) => (isKnown(`rank.${rank}`) ? say(`rank.${rank}`, { count }) : rank);

/** Formats by language and options: making one takes a thousand times as long as using it. @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} value @param {Intl.NumberFormatOptions} options */
function format(value, options) {
  const key = `${language} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(language, options));
  return formats.get(key).format(value);
}

/** A number as it is written; `digits` behind the point, or as many as it has (at most 3). */
export const sayNumber = (value, digits) =>
  format(value, digits == null ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A probability as a percentage; nothing is ever quite certain. */
export const sayPercent = (probability) => format(Math.min(0.99, probability), { style: 'percent' });

/** Coordinates in degrees, to a tenth. @returns {import('./later.js').Later} */
export function laterPlace(latitude, longitude) {
  const [northing, easting] = [latitude, longitude].map((value) => ({ degrees: Math.round(10 * Math.abs(value)) / 10 }));
  return later('occasion.place', {
    latitude: latitude < 0 ? later('occasion.south', northing) : later('occasion.north', northing),
    longitude: longitude < 0 ? later('occasion.west', easting) : later('occasion.east', easting),
  });
}

/** The name of a month, 1 to 12. */
export const sayMonth = (month) =>
  new Intl.DateTimeFormat(language, { month: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2000, month - 1)));

/** Write the texts of the page's own markup: `data-say` names an element's text, `data-say-label` what it is read out as. */
export function translate(root = document) {
  /** @returns {NodeListOf<HTMLElement>} */
  const all = (selector) => root.querySelectorAll(selector);
  for (const each of all('[data-say]')) each.textContent = say(each.dataset.say);
  for (const each of all('[data-say-label]')) each.setAttribute('aria-label', say(each.dataset.sayLabel));
  for (const each of all('[data-say-alt]')) each.setAttribute('alt', say(each.dataset.sayAlt));
}

/**
 * `show`, called again with what it was given last whenever the language changes. Its `forget` keeps that from happening
 * until it is called anew.
 * @template {any[]} Given
 * @param {(...given: Given) => void} show
 */
export function resaid(show) {
  let last = null;
  listeners.add(() => last && show(...last));
  /** @type {(...given: Given) => void} */
  const first = (...given) => show(...(last = given));
  return Object.assign(first, { forget: () => (last = null) });
}

/** Speak a language from now on, and say anew all that is on the page. */
export function speak(code) {
  language = code;
  Object.assign(document.documentElement, { lang: code, dir: RIGHT_TO_LEFT.has(code) ? 'rtl' : 'ltr' });
  translate();
  for (const listener of listeners) listener();
}

/** Speak what the reader chose here before, else the first language that the browser prefers and the page has. */
export function speakToReader() {
  const wanted = [recall(CHOICE), ...navigator.languages].map((tag) => tag?.split('-')[0].toLowerCase());
  speak(wanted.find((code) => Object.hasOwn(LANGUAGES, code)) ?? 'en');
}

/** Speak the language that the reader chose, now and at the next visit. */
export function choose(code) {
  speak(code);
  remember(CHOICE, code);
}
