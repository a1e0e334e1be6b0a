// Loads the graph model and runs it on the first backend that proves itself.

import { env, ready, setBackend, tensor4d, tidy } from './tensorflow.js';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm/dist/base';
import 'virtual:kernels'; // build.mjs writes it
import { Failure } from './failures.js';
import { readGraph } from './graph.js';
import { WASM_FILES } from './wasm.js';

// Fastest first. WebGL is left out on purpose: on a phone it starts slower than WebAssembly answers, and with a software
// GPU it is twenty times slower.
export const BACKENDS = ['wasm', 'cpu'];

/**
 * A model that answered its self-test.
 * @typedef {{backend: string, predict: (input: Float32Array) => Promise<Float32Array>,
 *   see: (input: Float32Array, prelogits: string) => Promise<Float32Array[]>,
 *   mapOutput: (input: Float32Array, output: number, ending: Ending) => Promise<ClassMap>}} Model
 * `predict` gives logits, `see` these and what the classifier sees, the node `prelogits`.
 *
 * explain.json: which nodes are the last feature map and the classifier behind its mean.
 * @typedef {{features: string, weight: string, bias: ?string}} Ending
 *
 * What each place of the square adds to a logit, which is their sum plus `bias`.
 * @typedef {{data: Float32Array, width: number, height: number, bias: number}} ClassMap
 */

/**
 * Start WebAssembly; whether that works `openModel` finds out.
 * @param {string} wasm address or path of the file that `wasmFile` (wasm.js) names
 */
export async function startWasm(wasm) {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  try {
    // TensorFlow.js wants a name for each of its builds; two are never taken.
    setWasmPaths(Object.fromEntries([...WASM_FILES, 'tfjs-backend-wasm-threaded-simd.wasm'].map((name) => [name, wasm])));
    await setBackend('wasm');
  } catch (error) {
    console.warn(error); // it started before, and did not come up
  }
}

/**
 * Load a model and choose its backend; WebAssembly has been started.
 * @param {(file: string) => Promise<ArrayBuffer>} read the files of the bundle
 * @param {{image_size: number}} settings preprocessing.json
 * @param {{input: Float32Array, logits: number[], tolerance: number}|null} selfTest an answer known beforehand
 * @returns {Promise<Model>}
 * @throws {Failure}
 */
export async function openModel(read, { image_size: size }, selfTest, backends = BACKENDS) {
  const source = await readGraph(read);
  const failures = [];
  for (const backend of backends) {
    try {
      if (!(await setBackend(backend))) throw new Error('it does not start');
      await ready();
      const graph = await loadGraphModel(source);
      const run = (input, outputs) =>
        tidy(() => graph.execute({ image: tensor4d(input, [input.length / (size * size * 3), size, size, 3]) }, outputs));
      const read = async (input, nodes) => {
        /** @type {any} */
        const outputs = [].concat(run(input, nodes)); // one alone comes without a list
        const values = await Promise.all(outputs.map((output) => output.data()));
        for (const output of outputs) output.dispose();
        if (!values[0].every(Number.isFinite)) throw new Failure('wrong-model', { reason: 'its answer is no number' });
        return values;
      };
      const [answer] = graph.outputNodes;
      const predict = async (input) => (await read(input, [answer]))[0];
      const see = (input, prelogits) => read(input, [answer, prelogits]);
      const mapOutput = (input, output, ending) => mapClass(graph, run(input, ending.features), output, ending);
      if (selfTest) await check(predict, selfTest);
      return { backend, predict, see, mapOutput };
    } catch (error) {
      failures.push(`${backend}: ${error.message ?? error}`);
    }
  }
  throw new Failure('no-backend', { reason: failures.join('; ') });
}

/**
 * The class activation map of `output`: the feature map of one photo times that output's weights, over the number of places.
 * @returns {Promise<ClassMap>}
 */
async function mapClass(graph, features, output, { weight, bias }) {
  const [, height, width, dim] = features.shape;
  const values = await features.data();
  features.dispose();
  const [weights, biases] = await Promise.all([weight, bias].map((name) => name && graph.weights[name][0].data()));
  const stride = weights.length / dim;
  const data = Float32Array.from({ length: height * width }, (_, place) => {
    let sum = 0;
    for (let i = 0; i < dim; i++) sum += values[place * dim + i] * weights[i * stride + output];
    return sum / (height * width);
  });
  return { data, width, height, bias: biases ? biases[output] : 0 };
}

/** Throws if the first answer is not the one expected. */
async function check(predict, { input, logits, tolerance }) {
  const answer = await predict(input);
  const error = Math.max(...logits.map((expected, i) => Math.abs(answer[i] - expected)));
  if (answer.length !== logits.length || !(error <= tolerance)) {
    throw new Error(`its answer is off by ${error} where ${tolerance} is allowed`);
  }
}
