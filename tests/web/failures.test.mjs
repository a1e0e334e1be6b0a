// web/failures.js: what may pass is tried again, what has no words of its own is unforeseen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, explain } from '../../web/failures.js';

const CASES = [
  ['a failure is already explained', new Failure('download', { file: 'a.bin', reason: 'cut' }), 'download', true],
  ['a file that is no photo will be none the next time', new Failure('not-an-image', { name: 'x' }), 'not-an-image', false],
  ['an array that cannot be had', new RangeError('Array buffer allocation failed'), 'memory', true],
  ['a WebAssembly memory that cannot be had', new Error('could not allocate memory'), 'memory', true],
  ['anything else', new TypeError('undefined is not a function'), 'unforeseen', true],
  ['something that is no error', 'odd', 'unforeseen', true],
];

for (const [what, error, kind, canPass] of CASES) {
  test(what, (context) => {
    context.mock.method(console, 'error', () => {});
    const explained = explain(error, 'while a test ran');
    assert.deepEqual([explained.kind, explained.canPass], [kind, canPass]);
    assert.ok(explained.message.length > 0);
  });
}
