// What the page says, in the reader's language: every sentence is an entry of languages/*.json, English where one is missing.

import en from './languages/en.json' with { type: 'json' };

const LANGUAGES = { en };

/** The language that the page speaks, a BCP 47 code. */
const language = 'en';

/**
 * The text of an entry.
 * @param {string} key of languages/en.json
 * @param {Object<string, string|number>} values for the {names} in it; `count` chooses between an entry's plural forms
 * @returns {string}
 */
export function say(key, values = {}) {
  const entry = LANGUAGES[language][key] ?? en[key];
  if (entry === undefined) throw new Error(`no text is called ${key}`);
  const form = typeof entry === 'string' ? entry : (entry[new Intl.PluralRules(language).select(Number(values.count ?? 1))] ?? entry.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Whether there is such an entry. */
export const isKnown = (key) => key in en;

/** What a rank is called; a rank that no language knows keeps its own name. */
export const sayRank = (rank, count = 1) => (isKnown(`rank.${rank}`) ? say(`rank.${rank}`, { count }) : rank);

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
