// Answers squares of records exactly as the page would, in Node, for the parity check:
//
//   parity BUNDLE SQUARES SIDE LOGITS FAMILIARITY
//
// SQUARES holds RGB bytes [num_photos, SIDE, SIDE, 3]; LOGITS gets float32 [num_photos + 1, classes], little endian. The last row
// answers the square on which the page will test a backend. FAMILIARITY gets float32 [num_photos + 1], nothing where the bundle
// cannot tell strangers.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { measureFamiliarity, readFamiliar } from './familiar.js';
import { openModel, startWasm } from './model.js';
import { readFromFolder } from './node_files.mjs';
import { prepareRecord, testSquare } from './preprocess.js';
import { wasmFile } from './wasm.js';

/** What tells strangers; null where the bundle has nothing that does. */
async function readSpace(bundle, read) {
  if (!existsSync(path.join(bundle, 'familiar.json'))) return null;
  return readFamiliar(JSON.parse(readFileSync(path.join(bundle, 'familiar.json'), 'utf8')), await read('familiar.bin'));
}

async function answerAll(bundle, squaresFile, side, logitsFile, familiarityFile) {
  const settings = JSON.parse(readFileSync(path.join(bundle, 'preprocessing.json'), 'utf8'));
  const read = readFromFolder(bundle);
  const familiar = await readSpace(bundle, read);
  await startWasm(path.join(bundle, wasmFile()));
  const model = await openModel(read, settings, null, ['wasm']);
  const pixels = new Uint8Array(readFileSync(squaresFile));
  const squares = [];
  for (let start = 0; start < pixels.length; start += side * side * 3) {
    squares.push({ data: pixels.subarray(start, start + side * side * 3), width: side, height: side });
  }
  const answers = [];
  const measured = [];
  for (const square of [...squares, testSquare(side)]) {
    const input = prepareRecord(square, settings);
    const [logits, seen] = familiar ? await model.see(input, familiar.prelogits) : [await model.predict(input)];
    answers.push(Buffer.from(logits.slice().buffer));
    if (familiar) measured.push(measureFamiliarity(familiar, seen, logits));
  }
  writeFileSync(logitsFile, Buffer.concat(answers));
  writeFileSync(familiarityFile, Buffer.from(Float32Array.from(measured).buffer));
}

const [bundle, squares, side, logits, familiarity] = process.argv.slice(2);
answerAll(bundle, squares, Number(side), logits, familiarity).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
