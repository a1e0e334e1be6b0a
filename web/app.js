// The page: a photo in, an answer out. Everything happens on this device.

import { OTHER, conclude, fuse } from './answer.js';
import { openBundle } from './bundle.js';
import { readOccasion } from './exif.js';
import { explain } from './failures.js';
import { say, translate } from './language.js';
import { openModel, wasmFile } from './model.js';
import { keepOffline } from './offline.js';
import { decode } from './photo.js';
import { inform, ratios, readPrior } from './prior.js';
import { preparePhoto, prepareRecord, testSquare } from './preprocess.js';
import * as view from './view.js';

const TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp' }; // of examples, by the ending of their names
const SETTINGS = ['labels.json', 'preprocessing.json', 'calibration.json', 'selftest.json'];

/**
 * All that an answer needs.
 * @typedef {{labels: Labels, settings: Settings, calibration: Calibration, model: import('./model.js').Model,
 *   prior: ?import('./prior.js').Prior}} Guide
 */

/** @type {?Promise<Guide>} */
let guide = null;

/** Download the guide and start its model: all that an answer needs. */
async function openGuide() {
  const bundle = await openBundle();
  bundle.onProgress = view.showProgress;
  return openFrom(bundle).catch((error) => {
    bundle.stop();
    throw error;
  });
}

async function openFrom(bundle) {
  // All at once: a slow network's delays then add up only once.
  const weights = Object.keys(bundle.files).filter((file) => file.endsWith('.bin'));
  const wasm = await wasmFile();
  for (const file of ['model.json', ...weights, wasm]) bundle.read(file).catch(() => {}); // whoever asks again is told
  const [labels, settings, calibration, known] = await Promise.all(SETTINGS.map((file) => bundle.readJson(file)));
  view.showContents(labels);
  view.showPromise(calibration);
  bundle.readJson('examples.json').then((examples) => view.showExamples(examples, (each) => answerExample(bundle, each)), () => {});
  const binary = URL.createObjectURL(new Blob([await bundle.read(wasm)], { type: 'application/wasm' }));
  const selfTest = { ...known, input: prepareRecord(testSquare(settings.record_size), settings) };
  const model = await openModel((file) => bundle.read(file), binary, settings, selfTest);
  const prior = await openPrior(bundle);
  bundle.forget();
  return { labels, settings, calibration, model, prior };
}

/** What place and season say, where this guide knows that; null where not. */
async function openPrior(bundle) {
  if (!bundle.files['prior.json']) return null;
  const [header, content] = await Promise.all([bundle.readJson('prior.json'), bundle.read('prior.bin')]);
  view.offerOccasion(changeOccasion, locate);
  view.showOccasion(occasion);
  return readPrior(header, content);
}

/** The open guide. It is opened once, and once more after a failure. */
function open() {
  // A guide that was replaced amid its download is whole the second time.
  guide ??= openGuide().catch((error) => (error.kind === 'mixed' ? openGuide() : Promise.reject(error))).then(
    (opened) => {
      view.showEngine(opened.model);
      // Only now: before, it would compete with the download of what an answer needs.
      keepOffline({ onState: view.showOffline, onUpdate: view.offerUpdate });
      return opened;
    },
    (error) => {
      guide = null;
      view.hideProgress();
      throw explain(error, say('failure.opening'));
    },
  );
  return guide;
}

let newest = 0; // a later photo overtakes an earlier one that is still being answered
let again = start; // what a failure offers to try once more

/**
 * A photo of what is to be named, with what the model said of it.
 * @typedef {{file: Blob, credit?: Example, logits?: ArrayLike<number>}} Photo
 */

const UNKNOWN = { latitude: null, longitude: null, month: null, from: null };

/** @type {Photo[]} */
let subject = []; // the photos of the newest answer
let occasion = UNKNOWN; // where and when they were taken

/**
 * Answer all `photos`, one or more of the same subject, together.
 * @param {Photo[]} photos
 */
async function answer(photos) {
  const turn = ++newest;
  again = () => answer(photos);
  document.body.dataset.state = 'thinking';
  show(photos);
  try {
    for (const photo of photos) {
      if (photo.logits) continue;
      const pixels = await decode(photo.file);
      const { model, settings } = await open();
      const logits = await model.predict(preparePhoto(pixels, settings));
      if (turn !== newest) return;
      photo.logits = logits;
    }
    const { labels, calibration, prior } = await open();
    if (turn !== newest) return;
    const fused = fuse(photos.map((photo) => photo.logits), calibration.fusion_exponent);
    const logits = inform(fused, labels, calibration.temperatures, prior, occasion);
    const conclusion = conclude(logits, labels, calibration);
    view.showAnswer(conclusion, labels, calibration);
    view.showSeen(prior && howOften(conclusion.best, labels, prior), occasion);
    document.body.dataset.state = 'answered';
    document.dispatchEvent(new CustomEvent('fieldguide:answer', { detail: { logits, ...conclusion } }));
  } catch (error) {
    if (turn === newest) fail(explain(error, say('failure.answering')));
  }
}

/** Show the photos; each but the last one left can be taken away again. */
function show(photos) {
  subject = photos;
  view.showPhotos(photos, (photo) => answer(subject.filter((each) => each !== photo)));
}

/** Photos that were chosen: of something new, or more of the same subject, which then is where and when it was. */
async function receive(files, isMore) {
  const photos = Array.from(files, (file) => ({ file }));
  if (!photos.length) return;
  const all = isMore ? [...subject, ...photos] : photos;
  const turn = ++newest;
  document.body.dataset.state = 'thinking';
  show(all); // at once: what failed before is over
  const told = await readOccasion(photos[0].file);
  if (turn !== newest) return;
  if (!isMore) setOccasion({ ...UNKNOWN, ...told, from: told.latitude == null ? null : 'photo' });
  answer(all);
}

function setOccasion(known) {
  occasion = known;
  view.showOccasion(occasion);
}

/** Somebody says where or when it was: the answer follows. */
function changeOccasion(change) {
  setOccasion({ ...occasion, ...change });
  if (subject.length) answer(subject);
}

/** Where this device is, if its owner allows that. */
function locate() {
  return new Promise((resolve, reject) => {
    if (!navigator.geolocation) reject(new Error(say('occasion.cannot')));
    navigator.geolocation.getCurrentPosition(({ coords: { latitude, longitude } }) => resolve({ latitude, longitude }), reject, {
      timeout: 20_000,
      maximumAge: 600_000,
    });
  });
}

/** How often the species that is named is photographed there and then, to how often anywhere; null where none is named. */
function howOften({ rank, name }, labels, prior) {
  const [first] = labels.ranks;
  if (rank !== first || name === OTHER) return null;
  return ratios(prior, occasion)?.[labels.classes[first].indexOf(name)] ?? null;
}

async function answerExample(bundle, example) {
  const turn = ++newest;
  again = () => answerExample(bundle, example);
  try {
    const photo = new Blob([await bundle.read(example.file)], { type: TYPES[example.file.split('.').pop()] });
    if (turn !== newest) return;
    setOccasion(UNKNOWN);
    await answer([{ file: photo, credit: example }]);
  } catch (error) {
    if (turn === newest) fail(explain(error, say('failure.example')));
  }
}

function fail(failure) {
  document.body.dataset.state = 'failed';
  view.showFailure(failure, () => {
    view.clearFailure();
    again();
  });
}

function listen() {
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[type=file]'))) {
    const take = () => {
      receive(input.files, input.id === 'more');
      input.value = ''; // the same photo may be chosen again
    };
    input.addEventListener('change', take);
    take(); // one that was chosen before anybody listened
  }
  const plate = document.getElementById('plate');
  const over = (event) => {
    event.preventDefault();
    plate.classList.toggle('over', event.type === 'dragover');
  };
  for (const type of ['dragover', 'dragleave', 'drop']) document.addEventListener(type, over);
  document.addEventListener('drop', (event) => {
    receive(event.dataTransfer.files);
  });
  document.addEventListener('paste', (event) => {
    receive(event.clipboardData.files);
  });
}

/** Open the guide before a photo comes; one that is here already sees to the rest itself. */
async function start() {
  const isIdle = () => newest === 0;
  if (isIdle()) document.body.dataset.state = 'loading';
  try {
    await open();
    if (isIdle()) document.body.dataset.state = 'ready';
  } catch (error) {
    if (isIdle()) fail(error);
  }
}

translate();
listen();
start();
