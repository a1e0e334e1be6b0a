// What answers photos: decoding, preprocessing and the model. It runs in a worker (worker.js), or on the page's own thread
// where a browser has no worker that can draw (thread.js).

import { cutPhoto } from './cut.js';
import { measureFamiliarity, readFamiliar } from './familiar.js';
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
 * @property {(files: Object<string, ArrayBuffer>, wasm: string, settings: Settings, known: any, space: ?{header: any, content: ArrayBuffer}) =>
 *   Promise<{backend: string, milliseconds: number}>} open the model; `wasm` names one of the files, `known` is selftest.json,
 *   `space` familiar.json and familiar.bin
 * @property {(input: Float32Array) => Promise<{logits: Float32Array, familiarity: ?number}>} predict logits, and how familiar
 *   the photo looks, where that can be told
 * @property {(input: Float32Array, output: number, ending: import('./model.js').Ending) =>
 *   Promise<import('./model.js').ClassMap>} mapOutput where it looked for one logit; `ending` is explain.json
 * @property {() => void} stop let go of it, once what was asked is answered
 */

/** @returns {Engine} */
export function makeEngine() {
  let model = null;
  let familiar = null;
  return {
    async prepare(file, settings) {
      const photo = await decode(file);
      return { input: preparePhoto(photo, settings), width: photo.width, height: photo.height };
    },
    cut: cutPhoto,
    async open(files, wasm, settings, known, space) {
      familiar = space && readFamiliar(space.header, space.content);
      const binary = URL.createObjectURL(new Blob([files[wasm]], { type: 'application/wasm' }));
      const selfTest = { ...known, input: prepareRecord(testSquare(settings.record_size), settings) };
      model = await openModel(async (file) => files[file], binary, settings, selfTest);
      return { backend: model.backend, milliseconds: model.milliseconds };
    },
    async predict(input) {
      if (!familiar) return { logits: await model.predict(input), familiarity: null };
      const [logits, seen] = await model.see(input, familiar.prelogits);
      return { logits, familiarity: measureFamiliarity(familiar, seen, logits) };
    },
    mapOutput: (...args) => model.mapOutput(...args),
    stop() {},
  };
}
