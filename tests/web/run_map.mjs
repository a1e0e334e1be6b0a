// What web/model.js says of a photo and why: node run_map.cjs BUNDLE JOB ANSWER
//
// JOB: {photo: {data, width, height}, outputs}; ANSWER: {logits, maps: [{onSquare, bias, onPhoto}]}, a map for each output.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { layOnPhoto } from '../../web/heat.js';
import { openModel, startWasm } from '../../web/model.js';
import { readFromFolder } from '../../web/node_files.mjs';
import { preparePhoto } from '../../web/preprocess.js';
import { wasmFile } from '../../web/wasm.js';

async function run([bundle, jobFile, answerFile]) {
  const [settings, ending] = ['preprocessing.json', 'explain.json'].map((file) => JSON.parse(readFileSync(path.join(bundle, file), 'utf8')));
  const { photo, outputs } = JSON.parse(readFileSync(jobFile, 'utf8'));
  await startWasm(path.join(WASM_FOLDER, wasmFile()));
  const model = await openModel(readFromFolder(bundle), settings, null, ['wasm']);
  const input = preparePhoto({ ...photo, data: Uint8Array.from(photo.data) }, settings);
  const logits = Array.from(await model.predict(input));
  const maps = [];
  for (const output of outputs) {
    const map = await model.mapOutput(input, output, ending);
    maps.push({ onSquare: Array.from(map.data), bias: map.bias, onPhoto: Array.from(layOnPhoto(map, photo, settings).data) });
  }
  writeFileSync(answerFile, JSON.stringify({ logits, maps }));
}

run(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
