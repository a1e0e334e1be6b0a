// Graph models side by side in the page's own TensorFlow.js: node run.cjs WASM_FOLDER IMAGES SIDE MODEL...
//
// IMAGES holds float32 [num_images, SIDE, SIDE, 3]; each MODEL folder gets logits.bin, float32 [num_images, classes].
// Images are answered one at a time, as the page asks, by one model after the other, so that a busy machine slows all
// alike. Prints {MODEL: {milliseconds: [...]} or {error}} as JSON.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/base';
import 'virtual:kernels';
import { readGraph } from '../web/graph.js';
import { readFromFolder } from '../web/node_files.mjs';
import { env, setBackend, tensor4d, tidy } from '../web/tensorflow.js';

async function run([wasmFolder, imagesFile, side, ...folders]) {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(path.join(wasmFolder, path.sep));
  await setBackend('wasm');
  const bytes = readFileSync(imagesFile);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const shape = [1, Number(side), Number(side), 3];
  const size = side * side * 3;
  const answer = (model, start) =>
    tidy(() => model.execute({ [model.inputs[0].name]: tensor4d(values.subarray(start, start + size), shape) }).dataSync());

  const found = {};
  const running = [];
  for (const folder of folders) {
    try {
      const model = await loadGraphModel(await readGraph(readFromFolder(folder)));
      answer(model, 0); // the first one prepares weights
      found[folder] = { milliseconds: [] };
      running.push({ folder, model, answers: [] });
    } catch (error) {
      found[folder] = { error: String(error) };
    }
  }
  for (let start = 0; start < values.length; start += size) {
    for (const { folder, model, answers } of running) {
      const started = performance.now();
      answers.push(answer(model, start));
      found[folder].milliseconds.push(performance.now() - started);
    }
  }
  for (const { folder, answers } of running) {
    writeFileSync(path.join(folder, 'logits.bin'), Buffer.concat(answers.map((each) => Buffer.from(each.slice().buffer))));
  }
  console.log(JSON.stringify(found));
}

run(process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exitCode = 1;
});
