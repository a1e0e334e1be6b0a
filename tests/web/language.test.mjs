// web/language.js: entries filled in, in the right plural form.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKnown, laterPlace, said, say, sayMonth, sayNumber, sayPercent, sayRank } from '../../web/language.js';
import { recall, remember } from '../../web/remembered.js';

const SAID = [
  [say('answer.sure', { percent: '97 %' }), '97 % sure'],
  [say('rank.species', { count: 1 }), 'species'],
  [say('rank.genus', { count: 1 }), 'genus'],
  [say('rank.genus', { count: 2 }), 'genera'],
  [say('rank.count', { count: 6, rank: sayRank('genus', 6) }), '6 genera'],
  [sayRank('tribe', 3), 'tribe'],
  [sayMonth(1), 'January'],
  [sayMonth(12), 'December'],
  [sayPercent(0.996), '99%'], // nothing is ever quite certain
  [sayPercent(0.004), '0%'],
  [sayNumber(2.96, 1), '3.0'],
  [sayNumber(10_000), '10,000'],
  [said(laterPlace(48.51, -16.25)), '48.5° N, 16.3° W'],
  [said('a text of nobody'), 'a text of nobody'],
];

for (const [said, expected] of SAID) test(expected, () => assert.equal(said, expected));

test('a text that there is not is a bug', () => {
  assert.throws(() => say('no.such'), /no\.such/);
  assert.equal(isKnown('no.such'), false);
});

test('a browser that keeps nothing remembers nothing, and that is no error', () => {
  remember('fieldguide language', 'de');
  assert.equal(recall('fieldguide language'), null);
});
