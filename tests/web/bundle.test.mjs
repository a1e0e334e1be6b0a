// web/bundle.js against a real server: counted, checked, asked once more past the browser's cache, and never of two exports.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Bundle } from '../../web/bundle.js';
import { unpack } from '../../web/packed.js';

const FILES = { 'labels.json': '{"ranks": []}', 'a.bin': 'weights', 'packed.bin.gzip': gzipSync('many weights') };
const LIST = Object.fromEntries(
  Object.entries(FILES).map(([file, text]) => [
    file,
    { bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') },
  ]),
);

let asked = []; // files, in the order in which they were asked for
let preloads = []; // files that index.html asks for
let answers = {}; // by file: what is sent instead, one after the other

const server = createServer((request, response) => {
  const file = request.url.replace('/guide/', '');
  asked.push(file);
  const text = answers[file]?.shift() ?? (file === 'bundle.json' ? JSON.stringify({ files: LIST }) : FILES[file]);
  if (text === undefined) response.writeHead(404);
  response.end(text);
});

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = `http://127.0.0.1:${server.address().port}/guide/`;
  globalThis.document = { baseURI: address, querySelectorAll: () => preloads.map((file) => ({ getAttribute: () => file })) };
  globalThis.location = { href: address };
});

beforeEach(() => {
  asked = [];
  preloads = [];
  answers = {};
});

after(() => {
  server.closeAllConnections();
  server.close();
});

const tryToUnpack = (packed) => unpack(packed).catch(() => null);

async function openBundle() {
  const bundle = new Bundle(tryToUnpack);
  await bundle.open();
  return bundle;
}

const text = (bytes) => new TextDecoder().decode(bytes);

test('a file is downloaded once and counted', async () => {
  const bundle = await openBundle();
  const counted = [];
  bundle.onProgress = ({ done, total }) => counted.push([done, total]);
  assert.equal(text((await Promise.all([bundle.read('a.bin'), bundle.read('a.bin')]))[0]), 'weights');
  assert.deepEqual(await bundle.readJson('labels.json'), { ranks: [] });
  assert.deepEqual(asked, ['bundle.json', 'a.bin', 'labels.json']);
  assert.deepEqual(counted.at(-1), [20, 20]);
});

test('a file of another export is asked for once more', async () => {
  answers = { 'a.bin': ['WEIGHTS'] };
  assert.equal(text(await (await openBundle()).read('a.bin')), 'weights');
  assert.deepEqual(asked, ['bundle.json', 'a.bin', 'a.bin']);
});

test('two exports are never mixed, and the file may be asked for again', async () => {
  answers = { 'a.bin': ['WEIGHTS', 'longer than it should be'] };
  const bundle = await openBundle();
  await assert.rejects(bundle.read('a.bin'), { kind: 'mixed', canPass: true });
  assert.equal(text(await bundle.read('a.bin')), 'weights');
});

for (const kind of ['as the browser does', 'without its help']) {
  test(`a file that travels packed is unpacked ${kind}`, async (context) => {
    if (kind === 'without its help') {
      const { DecompressionStream } = globalThis;
      context.after(() => Object.assign(globalThis, { DecompressionStream }));
      delete globalThis.DecompressionStream;
    }
    const bundle = await openBundle();
    const counted = [];
    bundle.onProgress = ({ done }) => counted.push(done);
    assert.equal(text(await bundle.read('packed.bin')), 'many weights');
    assert.deepEqual(asked, ['bundle.json', 'packed.bin.gzip']);
    assert.equal(counted.at(-1), FILES['packed.bin.gzip'].length);
  });
}

test('a file that index.html asks for is on its way before the list, and looked at before it is checked', async () => {
  preloads = ['a.bin', 'packed.bin.gzip'];
  const bundle = new Bundle(tryToUnpack);
  const counted = [];
  bundle.onProgress = ({ done, total }) => counted.push([done, total]);
  const early = await bundle.peek('a.bin');
  assert.ok(!asked.includes('bundle.json'));
  assert.equal(await bundle.read('a.bin'), early);
  assert.equal(text(await bundle.read('packed.bin')), 'many weights');
  assert.deepEqual(asked.toSorted(), ['a.bin', 'bundle.json', 'packed.bin.gzip']);
  const size = 7 + FILES['packed.bin.gzip'].length;
  assert.deepEqual(counted.at(-1), [size, size]);
});

test('what index.html asks for and the list does not name is not counted, nor what broke off', async () => {
  preloads = ['a.bin', 'stranger.bin'];
  answers = { 'stranger.bin': ['of nobody'] };
  const bundle = new Bundle(tryToUnpack);
  const counted = [];
  bundle.onProgress = ({ done, total }) => counted.push([done, total]);
  await bundle.read('a.bin');
  assert.deepEqual(counted.at(-1), [7, 7]);
});

test('a guide that is opened again takes nothing that index.html asked for', async () => {
  preloads = ['bundle.json', 'a.bin'];
  const bundle = new Bundle(tryToUnpack, true);
  assert.equal(text(await bundle.read('a.bin')), 'weights');
  assert.deepEqual(asked, ['bundle.json', 'a.bin']);
});

test('a bundle that was stopped asks for nothing more', async () => {
  const bundle = await openBundle();
  const reading = bundle.read('a.bin');
  bundle.stop();
  await assert.rejects(reading, { kind: 'download' });
  await assert.rejects(bundle.read('labels.json'), { kind: 'download' });
  assert.ok(asked.filter((file) => file === 'a.bin').length <= 1);
  assert.ok(!asked.includes('labels.json'));
});

test('an engine that cannot unpack is no damaged file', async () => {
  const bundle = new Bundle(() => Promise.reject(new Error('no engine')));
  await assert.rejects(bundle.read('packed.bin'), { message: 'no engine' });
  assert.deepEqual(asked, ['bundle.json', 'packed.bin.gzip']);
});

test('a file of another export that came early is asked for once more', async () => {
  preloads = ['a.bin'];
  answers = { 'a.bin': ['WEIGHTS'] };
  const bundle = new Bundle(tryToUnpack);
  const early = await bundle.peek('a.bin');
  const checked = await bundle.read('a.bin');
  assert.equal(text(checked), 'weights');
  assert.notEqual(checked, early);
});

test('a file that the list does not name is of another export', async () => {
  await assert.rejects((await openBundle()).read('b.bin'), { kind: 'mixed' });
});

test('a list that is none is said to be damaged', async () => {
  answers = { 'bundle.json': ['<html>'] };
  await assert.rejects(openBundle(), { kind: 'mixed' });
});

test('what cannot be unpacked is of another export where nothing can be digested', async (context) => {
  const { crypto } = globalThis;
  context.after(() => Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true }));
  Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
  const damaged = FILES['packed.bin.gzip'].map((byte, at) => (at > 12 ? byte ^ 1 : byte));
  answers = { 'packed.bin.gzip': [damaged, damaged] };
  const bundle = await openBundle();
  const counted = [];
  bundle.onProgress = ({ done, total }) => counted.push(done <= total);
  await assert.rejects(bundle.read('packed.bin'), { kind: 'mixed' });
  assert.ok(counted.every(Boolean));
  assert.equal(text(await bundle.read('packed.bin')), 'many weights');
});
