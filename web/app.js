// The page: a photo in, an answer out. Everything happens on this device.

import { conclude } from './answer.js';
import { openModel } from './model.js';
import { decode, preparePhoto, prepareRecord, testSquare } from './preprocess.js';
import { showAnswer, showContents, showEngine, showExamples, showFailure, showPhoto } from './view.js';

const read = async (file) => {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: the server answers ${response.status}`);
  return response.json();
};

async function openGuide() {
  const [labels, settings, calibration, known, examples] = await Promise.all(
    ['labels.json', 'preprocessing.json', 'calibration.json', 'selftest.json', 'examples.json'].map(read),
  );
  showContents(labels);
  const selfTest = { ...known, input: prepareRecord(testSquare(settings.record_size), settings) };
  const folder = new URL('.', document.baseURI).href;
  const model = openModel('model.json', folder, settings, selfTest);
  return { labels, settings, calibration, examples, model };
}

let newest = 0; // a later photo overtakes an earlier one that is still being answered

async function answer(guide, file, credit) {
  const turn = ++newest;
  document.body.dataset.state = 'thinking';
  try {
    showPhoto(file, credit);
    const photo = await decode(file).catch(() => {
      throw new Error('This file is not a photo that the browser can read.');
    });
    const model = await guide.model;
    const logits = await model.predict(preparePhoto(photo, guide.settings));
    if (turn !== newest) return;
    const conclusion = conclude(logits, guide.labels, guide.calibration);
    showAnswer(conclusion, guide.labels);
    document.body.dataset.state = 'answered';
    document.dispatchEvent(new CustomEvent('fieldguide:answer', { detail: { logits: Array.from(logits), ...conclusion } }));
    // Only now: filling the offline cache must not compete with the first answer.
    navigator.serviceWorker?.register('service_worker.js').catch((error) => console.warn('not kept offline:', error));
  } catch (error) {
    if (turn !== newest) return;
    document.body.dataset.state = 'failed';
    showFailure(error.message);
  }
}

function listen(guide) {
  for (const input of document.querySelectorAll('input[type=file]')) {
    const take = () => {
      if (input.files.length) answer(guide, input.files[0]);
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
    if (event.dataTransfer.files.length) answer(guide, event.dataTransfer.files[0]);
  });
  document.addEventListener('paste', (event) => {
    if (event.clipboardData.files.length) answer(guide, event.clipboardData.files[0]);
  });
  showExamples(guide.examples, async (example) => {
    const response = await fetch(example.file);
    await answer(guide, await response.blob(), example);
  });
}

try {
  const guide = await openGuide();
  listen(guide);
  document.body.dataset.state = 'ready';
  showEngine(await guide.model);
} catch (error) {
  document.body.dataset.state = 'failed';
  showFailure(`The guide cannot be opened: ${error.message}`);
}
