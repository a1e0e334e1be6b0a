// The page: a photo in, an answer out. Everything happens on this device.

import { OTHER, conclude, fuse, isNothing } from './answer.js';
import { hasCamera, takePicture } from './camera.js';
import { choosePart } from './crop.js';
import { Failure, explain } from './failures.js';
import { attend, open, started } from './guide.js';
import { outputOf, suggestBox } from './heat.js';
import { mapOf, offerMap, withdrawMap } from './heat_view.js';
import { say, speakToReader } from './language.js';
import { choosePlace } from './map.js';
import { title } from './names.js';
import { offerToKeep, openNotebook, withdraw } from './notebook_view.js';
import { NOTHING, gather } from './occasion.js';
import { offerOccasion, showOccasion, showSeen } from './occasion_view.js';
import { inform, isTelling, ratios } from './prior.js';
import * as view from './view.js';

const TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp' }; // of examples, by the ending of their names
const MAP_SIDE = 64; // px of a map that a box is found in

let newest = 0; // a later photo overtakes an earlier one that is still being answered
let again = start; // what a failure offers to try once more

/**
 * A photo of what is to be named, with what the model said of it.
 * @typedef {{file: Blob, whole?: Blob, box?: import('./box.js').Box, credit?: Example, prepared?: import('./engine.js').Prepared,
 *   logits?: ArrayLike<number>, familiarity?: ?number, told?: import('./occasion.js').Told}} Photo
 * `file` may be a part, `box`, of the `whole` photo
 */

/** @type {Photo[]} */
let subject = []; // the photos of the newest answer
let chosen = {}; // what the reader said of where and when
let occasion = gather([]); // where and when they were taken

/**
 * Answer all `photos`, one or more of the same subject, together.
 * @param {Photo[]} photos
 */
async function answer(photos) {
  const turn = ++newest;
  withdraw();
  again = () => answer(photos);
  document.body.dataset.state = 'thinking';
  show(photos);
  try {
    for (const photo of photos) photo.told ??= await (await started()).engine.readOccasion(photo.file);
    if (turn !== newest) return;
    settleOccasion();
    for (const photo of photos) {
      if (photo.logits) continue;
      const prepared = await prepare(photo.file);
      const { engine } = await open();
      const answered = await engine.predict(prepared.input);
      if (turn !== newest) return;
      Object.assign(photo, { prepared, ...answered });
    }
    const opened = await open();
    const { labels, calibration, prior, species, version } = opened;
    if (turn !== newest) return;
    const fused = fuse(photos.map((photo) => photo.logits), calibration.fusion_exponent);
    const logits = inform(fused, labels, calibration.temperatures, prior, occasion);
    const familiarity = meanFamiliarity(photos);
    const told = { numPhotos: photos.length, isPlaced: isTelling(prior, occasion), familiarity };
    const conclusion = conclude(logits, labels, calibration, told);
    view.showAnswer(conclusion, labels, calibration);
    view.showPromise(conclusion.rule, calibration);
    species.showCandidates(conclusion);
    offerWhy(photos.at(-1), conclusion, opened);
    showSeen(prior && howOften(conclusion.best, labels, prior), occasion);
    offerToKeep({ photos, conclusion, labels, occasion, version });
    document.body.dataset.state = 'answered';
    document.dispatchEvent(new CustomEvent('fieldguide:answer', { detail: { logits, ...conclusion } }));
  } catch (error) {
    if (turn === newest) fail(explain(error, 'failure.answering'));
  }
}

/** How familiar photos look together; null where nobody can say. @param {Photo[]} photos */
function meanFamiliarity(photos) {
  if (photos.some(({ familiarity }) => familiarity == null)) return null;
  return photos.reduce((sum, { familiarity }) => sum + familiarity, 0) / photos.length;
}

/** A photo as the model takes it; made while the model may still be on its way. */
async function prepare(file) {
  const { engine, settings } = await started();
  return engine.prepare(file, settings);
}

/** Show the photos; each but the last one left can be taken away again. */
function show(photos) {
  subject = photos;
  withdrawMap();
  view.showPhotos(photos, (photo) => answer(subject.filter((each) => each !== photo)));
}

/** Offer to show where the model saw what it named, if this guide can tell. */
function offerWhy(photo, { verdict, best }, opened) {
  suggestPart = null;
  if (!opened.ending || isNothing(verdict)) return;
  const { labels } = opened;
  const find = mapOf(photo.prepared, outputOf(best, labels), opened);
  suggestPart = async () => suggestBox(await find(MAP_SIDE));
  offerMap(title(best.name, labels), find);
}

/** Photos that were chosen: of something new, or more of the same subject. */
function receive(files, isMore) {
  const photos = Array.from(files, (file) => ({ file }));
  if (!photos.length) return;
  if (!isMore) chosen = {};
  answer(isMore ? [...subject, ...photos] : photos);
}

/** Somebody says where or when it was: the answer follows. */
function changeOccasion(change) {
  chosen = { ...chosen, ...change };
  settleOccasion();
  if (subject.length) answer(subject);
}

/** Where and when it was, by all that is known now. */
function settleOccasion() {
  occasion = gather(subject.map(({ told = NOTHING }) => told), chosen);
  showOccasion(occasion);
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

let suggestPart = null; // where the newest photo is likely to show what was named

/** Somebody says which part of the newest photo counts: it is answered instead of the whole. */
async function cropNewest() {
  const photo = subject.at(-1);
  const whole = photo.whole ?? photo.file;
  const box = await choosePart(whole, photo.box, photo.whole ? null : suggestPart);
  if (!box || !subject.includes(photo)) return;
  try {
    const { engine } = await started();
    const part = { ...photo, file: await engine.cut(whole, box), whole, box, prepared: undefined, logits: undefined, familiarity: undefined };
    answer(subject.map((each) => (each === photo ? part : each)));
  } catch (error) {
    fail(explain(error, 'failure.answering'));
  }
}

/** Name what the camera sees, and answer the picture that is taken. */
async function aimCamera() {
  try {
    const picture = await takePicture(nameInPassing);
    if (!picture) return;
    chosen = {};
    answer([{ file: picture, told: { ...NOTHING, month: new Date().getMonth() + 1 } }]);
  } catch (error) {
    fail(new Failure('camera', { reason: error.message }));
  }
}

/** In one line what a picture shows; nothing of the page changes. */
async function nameInPassing(picture) {
  const { engine, settings, labels, calibration } = await open();
  const { input } = await engine.prepare(picture, settings);
  const { logits, familiarity } = await engine.predict(input);
  return view.inOneLine(conclude(logits, labels, calibration, { familiarity }), labels);
}

async function answerExample(bundle, example) {
  const turn = ++newest;
  again = () => answerExample(bundle, example);
  try {
    const photo = new Blob([await bundle.read(example.file)], { type: TYPES[example.file.split('.').pop()] });
    if (turn !== newest) return;
    chosen = {};
    await answer([{ file: photo, credit: example }]);
  } catch (error) {
    if (turn === newest) fail(explain(error, 'failure.example'));
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
  document.getElementById('choose-part').addEventListener('click', cropNewest);
  const live = document.getElementById('live');
  live.hidden = !hasCamera();
  live.addEventListener('click', aimCamera);
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

attend({
  onExamples: (bundle, examples) => view.showExamples(examples, (each) => answerExample(bundle, each)),
  onPrior: () => {
    offerOccasion(changeOccasion, locate, () => choosePlace(occasion.latitude == null ? null : occasion));
    showOccasion(occasion);
  },
});
start(); // first, so that the network works while all else is made ready
speakToReader();
view.offerLanguages();
listen();
openNotebook();
