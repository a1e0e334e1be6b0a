// Answers squares of records exactly as the page would, in Node, for the parity check:
//
//   parity BUNDLE SQUARES SIDE LOGITS
//
// SQUARES holds RGB bytes [num_photos, SIDE, SIDE, 3]; LOGITS gets float32 [num_photos + 1, classes], little endian. The last row
// answers the square on which the page will test a backend.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openModel } from './model.js';
import { readFromFolder } from './node_files.mjs';
import { prepareRecord, testSquare } from './preprocess.js';
import { wasmFile } from './wasm.js';

async function answerAll(bundle, squaresFile, side, logitsFile) {
  const settings = JSON.parse(readFileSync(path.join(bundle, 'preprocessing.json'), 'utf8'));
  const model = await openModel(readFromFolder(bundle), path.join(bundle, wasmFile()), settings, null, ['wasm']);
  const pixels = new Uint8Array(readFileSync(squaresFile));
  const squares = [];
  for (let start = 0; start < pixels.length; start += side * side * 3) {
    squares.push({ data: pixels.subarray(start, start + side * side * 3), width: side, height: side });
  }
  const answers = [];
  for (const square of [...squares, testSquare(side)]) {
    answers.push(Buffer.from((await model.predict(prepareRecord(square, settings))).slice().buffer));
  }
  writeFileSync(logitsFile, Buffer.concat(answers));
}

const [bundle, squares, side, logits] = process.argv.slice(2);
answerAll(bundle, squares, Number(side), logits).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
