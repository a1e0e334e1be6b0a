// web/graph.js: model.json and its weights as TensorFlow.js loads them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGraph } from '../../web/graph.js';

const encode = (text) => new TextEncoder().encode(text).buffer;

const MODEL = {
  modelTopology: { node: [] },
  signature: { inputs: {} },
  weightsManifest: [
    { paths: ['a.bin', 'b.bin'], weights: [{ name: 'first' }, { name: 'second' }] },
    { paths: ['c.bin'], weights: [{ name: 'third' }] },
  ],
};

test('weights of several files follow one another in the order of the manifest', async () => {
  const files = { 'model.json': encode(JSON.stringify(MODEL)), 'a.bin': encode('aa'), 'b.bin': encode('b'), 'c.bin': encode('cc') };
  const source = await readGraph(async (file) => files[file]);
  const artifacts = await source.load();
  assert.equal(new TextDecoder().decode(artifacts.weightData), 'aabcc');
  assert.deepEqual(artifacts.weightSpecs.map(({ name }) => name), ['first', 'second', 'third']);
  assert.equal(await source.load(), artifacts, 'read once, loaded any number of times');
});

test('what is no JSON is a wrong model', async () => {
  await assert.rejects(readGraph(async () => encode('<html>')), { kind: 'wrong-model' });
});

test('a file that does not come keeps its own reason', async () => {
  const reason = new Error('gone');
  const read = async (file) => (file === 'model.json' ? encode(JSON.stringify(MODEL)) : Promise.reject(reason));
  await assert.rejects(readGraph(read), reason);
});
