// Loads the graph model and runs it on the first backend that proves itself.

import { env, ready, setBackend, tensor4d, tidy } from './tensorflow.js';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/base';
import 'virtual:kernels'; // build.mjs writes it
import { Failure } from './failures.js';
import { readGraph } from './graph.js';

// Fastest first. WebGL is left out on purpose: on a phone it starts slower than WebAssembly answers, and with a software
// GPU it is twenty times slower.
export const BACKENDS = ['wasm', 'cpu'];

const WASM_FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

/**
 * A model that answered its self-test.
 * @typedef {{backend: string, milliseconds: number, predict: (input: Float32Array) => Promise<Float32Array>}} Model
 */

/** The .wasm file that this browser takes. */
export async function wasmFile() {
  const hasSimd = await env().getAsync('WASM_HAS_SIMD_SUPPORT').catch(() => false);
  return WASM_FILES[hasSimd ? 1 : 0];
}

/**
 * Load a model and choose its backend.
 * @param {(file: string) => Promise<ArrayBuffer>} read the files of the bundle
 * @param {string} wasm address or path of the one that `wasmFile` names
 * @param {{image_size: number}} settings preprocessing.json
 * @param {{input: Float32Array, logits: number[], tolerance: number}|null} selfTest an answer known beforehand
 * @returns {Promise<Model>}
 * @throws {Failure}
 */
export async function openModel(read, wasm, { image_size: size }, selfTest, backends = BACKENDS) {
  const source = await readGraph(read);
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  // TensorFlow.js wants a name for each of its builds; two are never taken.
  setWasmPaths(Object.fromEntries([...WASM_FILES, 'tfjs-backend-wasm-threaded-simd.wasm'].map((name) => [name, wasm])));
  const failures = [];
  for (const backend of backends) {
    try {
      if (!(await setBackend(backend))) throw new Error('it does not start');
      await ready();
      const graph = await loadGraphModel(source);
      const predict = async (input) => {
        /** @type {any} */
        const output = tidy(() => graph.execute({ image: tensor4d(input, [input.length / (size * size * 3), size, size, 3]) }));
        const logits = await output.data();
        output.dispose();
        if (!logits.every(Number.isFinite)) throw new Failure('wrong-model', { reason: 'its answer is no number' });
        return logits;
      };
      return { backend, milliseconds: selfTest ? await checkedTime(predict, selfTest) : NaN, predict };
    } catch (error) {
      failures.push(`${backend}: ${error.message ?? error}`);
    }
  }
  throw new Failure('no-backend', { reason: failures.join('; ') });
}

/** Milliseconds of a second, warm answer; throws if the first one is not the one expected. */
async function checkedTime(predict, { input, logits, tolerance }) {
  const answer = await predict(input);
  const error = Math.max(...logits.map((expected, i) => Math.abs(answer[i] - expected)));
  if (answer.length !== logits.length || !(error <= tolerance)) {
    throw new Error(`its answer is off by ${error} where ${tolerance} is allowed`);
  }
  const start = performance.now();
  await predict(input);
  return performance.now() - start;
}
