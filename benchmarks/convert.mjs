// Answers images by a graph model in the page's own TensorFlow.js: node run.cjs MODEL WASM_FOLDER IMAGES SIDE LOGITS
//
// IMAGES holds float32 [num_images, SIDE, SIDE, 3]; LOGITS gets float32 [num_images, classes]. Prints the median
// milliseconds an image, one at a time, as the page asks.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/base';
import 'virtual:kernels';
import { readFromFolder } from '../web/node_files.mjs';
import { env, setBackend, tensor4d, tidy } from '../web/tensorflow.js';

async function run([folder, wasmFolder, imagesFile, side, logitsFile]) {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(path.join(wasmFolder, path.sep));
  await setBackend('wasm');
  const model = await loadGraphModel(readFromFolder(folder));
  const bytes = readFileSync(imagesFile);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const shape = [1, Number(side), Number(side), 3];
  const size = side * side * 3;
  const answer = (image) => tidy(() => model.execute({ [model.inputs[0].name]: tensor4d(image, shape) }).dataSync());
  answer(values.subarray(0, size)); // the first one compiles
  const milliseconds = [];
  const answers = [];
  for (let start = 0; start < values.length; start += size) {
    const started = performance.now();
    answers.push(answer(values.subarray(start, start + size)));
    milliseconds.push(performance.now() - started);
  }
  writeFileSync(logitsFile, Buffer.concat(answers.map((each) => Buffer.from(each.slice().buffer))));
  milliseconds.sort((a, b) => a - b);
  console.log(milliseconds[Math.floor(milliseconds.length / 2)]);
}

run(process.argv.slice(2)).catch((error) => {
  console.error(String(error));
  process.exitCode = 1;
});
