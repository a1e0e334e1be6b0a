// Runs many small graph models on some backends: node run.cjs JOBS ANSWERS BACKEND...

import { readFileSync, writeFileSync } from 'node:fs';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/base';
import { readGraph } from '../../web/graph.js';
import { readFromFolder } from '../../web/node_files.mjs';
import { env, setBackend, tensor4d, tidy } from '../../web/tensorflow.js';
import 'virtual:kernels';

async function run([jobsFile, answersFile, ...backends]) {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(WASM_FOLDER);
  const jobs = JSON.parse(readFileSync(jobsFile, 'utf8'));
  const answers = Object.fromEntries(jobs.map(({ name }) => [name, {}]));
  for (const backend of backends) {
    await setBackend(backend);
    for (const { name, folder, shape, image } of jobs) {
      try {
        const model = await loadGraphModel(await readGraph(readFromFolder(folder)));
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
