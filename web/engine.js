// What answers photos: decoding, preprocessing and the model. It runs in a worker (worker.js), or on the page's own thread
// where a browser has no worker that can draw (thread.js).

import { cutPhoto } from './cut.js';
import { openModel } from './model.js';
import { decode } from './photo.js';
import { preparePhoto, prepareRecord, testSquare } from './preprocess.js';

/**
 * A photo as the model takes it, and its own size, px.
 * @typedef {{input: Float32Array, width: number, height: number}} Prepared
 */

/**
 * All methods return promises of what can be sent between threads, and throw Failures.
 * @typedef {Object} Engine
 * @property {(file: Blob, settings: Settings) => Promise<Prepared>} prepare needs preprocessing.json, and no model yet
 * @property {(file: Blob, box: import('./box.js').Box) => Promise<Blob>} cut a part of a photo, as a photo
 * @property {(files: Object<string, ArrayBuffer>, wasm: string, settings: Settings, known: any) =>
 *   Promise<{backend: string, milliseconds: number}>} open the model; `wasm` names one of the files, `known` is selftest.json
 * @property {(input: Float32Array) => Promise<Float32Array>} predict logits
 * @property {(input: Float32Array, output: number, ending: import('./model.js').Ending) =>
 *   Promise<import('./model.js').ClassMap>} mapOutput where it looked for one logit; `ending` is explain.json
 * @property {() => void} stop let go of it, once what was asked is answered
 */

/** @returns {Engine} */
export function makeEngine() {
  let model = null;
  return {
    async prepare(file, settings) {
      const photo = await decode(file);
      return { input: preparePhoto(photo, settings), width: photo.width, height: photo.height };
    },
    cut: cutPhoto,
    async open(files, wasm, settings, known) {
      const binary = URL.createObjectURL(new Blob([files[wasm]], { type: 'application/wasm' }));
      const selfTest = { ...known, input: prepareRecord(testSquare(settings.record_size), settings) };
      model = await openModel(async (file) => files[file], binary, settings, selfTest);
      return { backend: model.backend, milliseconds: model.milliseconds };
    },
    predict: (input) => model.predict(input),
    mapOutput: (...args) => model.mapOutput(...args),
    stop() {},
  };
}
