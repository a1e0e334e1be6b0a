// Opening the guide: all downloads at once, the engine started, what it knows shown as soon as it is here.

import { findRule } from './answer.js';
import { Bundle } from './bundle.js';
import { explain } from './failures.js';
import { keepOffline } from './offline.js';
import { readPrior } from './prior.js';
import { openSpecies } from './species.js';
import { startEngine } from './thread.js';
import * as view from './view.js';
import { wasmFile } from './wasm.js';

const SETTINGS = ['labels.json', 'preprocessing.json', 'calibration.json', 'selftest.json'];

/**
 * All that an answer needs.
 * @typedef {{labels: Labels, settings: Settings, calibration: Calibration, engine: import('./engine.js').Engine,
 *   backend: string, prior: ?import('./prior.js').Prior,
 *   ending: ?import('./model.js').Ending, species: any, version: string}} Guide
 */

/**
 * What the page does with what comes before the guide is open.
 * @type {{onExamples: (bundle: any, examples: Example[]) => void, onPrior: () => void}}
 */
let attended = { onExamples: () => {}, onPrior: () => {} };

/** Say it before the guide is opened. */
export const attend = (listener) => (attended = listener);

/** @type {?Promise<Guide>} */
let guide = null;
let early = null; // a promise of what prepares photos, which is here before the model

/** Download the guide and start its model: all that an answer needs. */
async function openGuide(isAgain = false) {
  let announce;
  early = new Promise((resolve) => (announce = resolve));
  // Unpacked in the engine's thread: the page's own is to show things.
  const bundle = new Bundle(async (packed) => (await starting).unpack(packed), isAgain);
  bundle.onProgress = view.showProgress;
  const starting = startEngine(bundle);
  return openFrom(bundle, starting, announce).catch((error) => {
    bundle.stop();
    starting.then((engine) => engine.stop(), () => {});
    throw error;
  });
}

async function openFrom(bundle, starting, announce) {
  starting.catch(() => {}); // whoever asks again is told
  await bundle.open();
  // All at once: a slow network's delays then add up only once.
  const wasm = wasmFile();
  const needed = ['model.json', ...Object.keys(bundle.files).filter((file) => /^group.*\.bin$/.test(file))];
  const ahead = [...needed, ...Object.keys(bundle.files).filter((file) => /^prior|^explain|^familiar/.test(file))];
  for (const each of ahead.map((file) => bundle.read(file))) each.catch(() => {});
  const [naming, ...others] = SETTINGS.map((file) => bundle.readJson(file));
  const warming = Promise.all([starting, bundle.read(wasm), others[0]]).then(([engine, binary, settings]) => engine.start(binary, settings));
  warming.catch(() => {});
  const rest = Promise.all(others);
  rest.catch(() => {});
  const labels = await naming;
  view.showContents(labels);
  const species = openSpecies(labels, () => bundle.readJson('species.json')); // to browse while the model is on its way
  const [settings, calibration, known] = await rest;
  view.showPromise(labels.kept ? calibration.rules.fallback : findRule(calibration), calibration);
  const engine = await starting;
  announce({ engine, settings });
  const files = Object.fromEntries(await Promise.all(needed.map(async (file) => [file, await bundle.read(file)])));
  const space = await readSpace(bundle);
  await warming;
  const backend = await engine.open(files, settings, known, space);
  const prior = await openPrior(bundle);
  const ending = bundle.files['explain.json'] ? await bundle.readJson('explain.json') : null;
  bundle.forget();
  // Only now: their pictures would compete with the model.
  bundle.readJson('examples.json').then((examples) => attended.onExamples(bundle, examples), () => {});
  return { labels, settings, calibration, engine, backend, prior, ending, species, version: bundle.version };
}

/** What tells strangers, where this guide knows that; null where not. */
async function readSpace(bundle) {
  if (!bundle.files['familiar.json']) return null;
  const [header, content] = await Promise.all([bundle.readJson('familiar.json'), bundle.read('familiar.bin')]);
  return { header, content };
}

/** What place and season say, where this guide knows that; null where not. */
async function openPrior(bundle) {
  if (!bundle.files['prior.json']) return null;
  const [header, content] = await Promise.all([bundle.readJson('prior.json'), bundle.read('prior.bin')]);
  attended.onPrior();
  return readPrior(header, content);
}

/**
 * The open guide. It is opened once, and once more after a failure.
 * @returns {Promise<Guide>}
 * @throws {Failure}
 */
export function open() {
  // A guide that was replaced amid its download is whole the second time.
  guide ??= openGuide().catch((error) => (error.kind === 'mixed' ? openGuide(true) : Promise.reject(error))).then(
    (opened) => {
      view.showOpened();
      // Behind the photo that waits for the guide.
      setTimeout(() => opened.engine.time().then((milliseconds) => view.showEngine({ backend: opened.backend, milliseconds }), () => {}));
      // Only now: before, it would compete with the download of what an answer needs.
      keepOffline({ onState: view.showOffline, onUpdate: view.offerUpdate });
      return opened;
    },
    (error) => {
      guide = null;
      view.hideProgress();
      throw explain(error, 'failure.opening');
    },
  );
  return guide;
}

/** The engine and preprocessing.json: all but the model, which may still be on its way. */
export function started() {
  const opening = open(); // it sets `early`
  return Promise.race([early, opening]);
}
