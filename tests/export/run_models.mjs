// Runs many small graph models on both backends: node run.cjs JOBS WASM_FOLDER ANSWERS

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/base';
import '../../web/kernels.js';
import { readFromFolder } from '../../web/node_files.mjs';
import { env, setBackend, tensor4d, tidy } from '../../web/tensorflow.js';

async function run([jobsFile, wasmFolder, answersFile]) {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(path.join(wasmFolder, path.sep));
  const jobs = JSON.parse(readFileSync(jobsFile, 'utf8'));
  const answers = Object.fromEntries(jobs.map(({ name }) => [name, {}]));
  for (const backend of ['wasm', 'cpu']) {
    await setBackend(backend);
    for (const { name, folder, shape, image } of jobs) {
      try {
        const model = await loadGraphModel(readFromFolder(folder));
        const output = tidy(() => model.execute({ image: tensor4d(image, shape) }));
        answers[name][backend] = Array.from(await output.data());
      } catch (error) {
        answers[name][backend] = String(error);
      }
    }
  }
  writeFileSync(answersFile, JSON.stringify(answers));
}

run(process.argv.slice(2));
