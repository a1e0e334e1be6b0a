// web/names.js: the name to read of a taxon.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isItalic, title, vernacularOf } from '../../web/names.js';

const LABELS = {
  vernacular: { 'Linum album': 'Weißer Lein', 'Aster alpinus': 'Alpenaster' },
  vernaculars: { en: { 'Linum album': 'white flax' }, nl: { 'Aster bellus': 'mooie aster' } },
};

const CASES = [
  ['Linum album', 'white flax', 'white flax'], // of the language that is spoken
  ['Aster alpinus', 'Alpenaster', 'Alpenaster'], // else what others call it
  ['Aster bellus', undefined, 'Aster bellus'], // not of any other language
  ['other', undefined, 'Something not in this guide'],
];

for (const [name, vernacular, read] of CASES) {
  test(name, () => assert.deepEqual([vernacularOf(name, LABELS), title(name, LABELS)], [vernacular, read]));
}

test('a guide whose taxonomy has no languages', () => {
  assert.equal(title('Linum album', { vernacular: LABELS.vernacular }), 'Weißer Lein');
});

test('names of genera and species are set in italics, those above them are not', () => {
  assert.deepEqual(['species', 'genus', 'family', 'order'].map(isItalic), [true, true, false, false]);
});
