// web/language.js: entries filled in, in the right plural form.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKnown, say, sayMonth, sayRank } from '../../web/language.js';

const SAID = [
  [say('answer.sure', { percent: '97 %' }), '97 % sure'],
  [say('rank.species', { count: 1 }), 'species'],
  [say('rank.genus', { count: 1 }), 'genus'],
  [say('rank.genus', { count: 2 }), 'genera'],
  [say('rank.count', { count: 6, rank: sayRank('genus', 6) }), '6 genera'],
  [sayRank('tribe', 3), 'tribe'],
  [sayMonth(1), 'January'],
  [sayMonth(12), 'December'],
];

for (const [said, expected] of SAID) test(expected, () => assert.equal(said, expected));

test('a text that there is not is a bug', () => {
  assert.throws(() => say('no.such'), /no\.such/);
  assert.equal(isKnown('no.such'), false);
});
