// Finds what of TensorFlow.js some graph models need, by running each once with all of it, and prints it as JSON:
//
//   trace FOLDER...
//
// kernels: as they are registered; functions: of tfjs-core, called by the converter's executors; categories: the executors.

import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/base';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { readGraph } from './graph.js';
import { readFromFolder } from './node_files.mjs';
import { env, getKernel, profile, ready, setBackend, tidy, zeros } from './tensorflow.js';
import 'virtual:kernels';

async function trace(folders) {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  setWasmPaths(WASM_FOLDER);
  await setBackend('wasm');
  await ready();
  const kernels = new Set();
  const categories = new Set();
  for (const folder of folders) {
    const { kernelNames } = await profile(async () => {
      const model = await loadGraphModel(await readGraph(readFromFolder(folder)));
      for (const { category } of Object.values(model.executor.graph.nodes)) categories.add(category);
      const [{ name, shape }] = model.inputs;
      const output = tidy(() => model.execute({ [name]: zeros(shape.map((size) => Math.max(size, 1))) }));
      await output.data();
      return output;
    });
    // Some names are those of gradients' scopes, which no backend has.
    for (const kernel of kernelNames) if (getKernel(kernel, 'wasm')) kernels.add(kernel);
  }
  const needs = { kernels, functions: globalThis.usedFunctions, categories };
  console.log(JSON.stringify(Object.fromEntries(Object.entries(needs).map(([name, found]) => [name, [...found].sort()]))));
}

trace(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
