// web/prior.js: when place and month play a part (the sums are held to Python's by test_prior.py).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inform, isTelling, readPrior } from '../../web/prior.js';

const NOWHERE = { latitude: null, longitude: null, month: null };
const EQUATOR = { ...NOWHERE, latitude: 0, longitude: 0 };
const HEADER = { num_cells: 1, num_classes: 2, num_entries: 1, strength: 1, floor: 0.01, spread: 5, pseudo: 1, background: 0.1 };

/** One cell at 0° N, 0° E, where the second class was photographed three times in May. */
function makeFile() {
  const file = new DataView(new ArrayBuffer(8 + 4 * 3 + 4));
  file.setUint32(16, 1, true); // where the first class ends and where the second does: at entries 0 and 1
  file.setUint16(20, 0, true);
  file.setUint8(22, 5);
  file.setUint8(23, 3);
  return file.buffer;
}

test('place or month is enough, 0° is a place, and a prior without strength says nothing', () => {
  const prior = readPrior(HEADER, makeFile());
  const asked = [NOWHERE, EQUATOR, { ...NOWHERE, month: 5 }].map((occasion) => isTelling(prior, occasion));
  assert.deepEqual(asked, [false, true, true]);
  assert.equal(isTelling({ ...prior, header: { ...HEADER, strength: 0 } }, EQUATOR), false);
  assert.ok(!isTelling(null, EQUATOR));
});

test('only the first rank is shifted, and nothing without a prior', () => {
  const labels = { ranks: ['species', 'genus'] };
  const logits = [1, 2, 3];
  assert.equal(inform(logits, labels, {}, null, EQUATOR), logits);
  const [, , genus] = inform(logits, labels, {}, readPrior(HEADER, makeFile()), EQUATOR);
  assert.equal(genus, 3);
});

test('the file of another header is refused', () => {
  assert.throws(() => readPrior({ ...HEADER, num_entries: 2 }, makeFile()), /prior\.bin is of another prior\.json/);
});
