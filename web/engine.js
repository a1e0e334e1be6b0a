// What answers photos: decoding, preprocessing and the model. It runs in a worker (worker.js), or on the page's own thread
// where a browser has no worker that can draw (thread.js).

import { cutPhoto } from './cut.js';
import { readOccasion } from './exif.js';
import { measureFamiliarity, readFamiliar } from './familiar.js';
import { openModel, startWasm } from './model.js';
import { unpack } from './packed.js';
import { decode } from './photo.js';
import { preparePhoto, prepareRecord, testSquare } from './preprocess.js';

/**
 * A photo as the model takes it, and its own size, px.
 * @typedef {{input: Float32Array, width: number, height: number}} Prepared
 */

/**
 * All methods return promises of what can be sent between threads, and throw Failures.
 * @typedef {Object} Engine
 * @property {import('./bundle.js').Unpack} unpack a file of the bundle
 * @property {(file: Blob) => Promise<import('./occasion.js').Told>} readOccasion where and when a photo was taken, as it says
 * @property {(file: Blob, settings: Settings) => Promise<Prepared>} prepare needs preprocessing.json, and no model yet
 * @property {(file: Blob, box: import('./box.js').Box) => Promise<Blob>} cut a part of a photo, as a photo
 * @property {(wasm: ArrayBuffer, settings: Settings) => Promise<void>} start WebAssembly, for which the model need not be here
 * @property {(files: Object<string, ArrayBuffer>, settings: Settings, known: any, space: ?{header: any, content: ArrayBuffer}) =>
 *   Promise<string>} open the model, once `start` is done: which backend it runs on. `known` is selftest.json, `space` familiar.json and familiar.bin
 * @property {() => Promise<number>} time milliseconds of an answer
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
  let square = null; // what the model was tested with
  return {
    unpack: (packed) => unpack(packed).catch(() => null),
    readOccasion,
    async prepare(file, settings) {
      const photo = await decode(file);
      return { input: preparePhoto(photo, settings), width: photo.width, height: photo.height };
    },
    cut: cutPhoto,
    async start(wasm, settings) {
      const starting = startWasm(URL.createObjectURL(new Blob([wasm], { type: 'application/wasm' })));
      square = prepareRecord(testSquare(settings.record_size), settings); // while WebAssembly is compiled elsewhere
      await starting;
    },
    async open(files, settings, known, space) {
      familiar = space && readFamiliar(space.header, space.content);
      model = await openModel(async (file) => files[file], settings, { ...known, input: square });
      return model.backend;
    },
    async time() {
      const start = performance.now();
      await model.predict(square);
      return performance.now() - start;
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
