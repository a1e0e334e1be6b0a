// Runs web/preprocess.js on the jobs of a test: node run_preprocess.mjs JOBS ANSWERS

import { readFileSync, writeFileSync } from 'node:fs';
import { resize } from '../../web/pillow_resize.js';
import { makeSquare, overWhite, place, preparePhoto, prepareRecord } from '../../web/preprocess.js';

const [jobsFile, answersFile] = process.argv.slice(2);

const plain = ({ data }) => ({ data: Array.from(data) });

const jobs = {
  resize: ({ photo, size, box }) => plain(resize(photo, size[0], size[1], box)),
  square: ({ photo, layout }) => plain(makeSquare(photo, layout)),
  photo: ({ photo, settings }) => plain({ data: preparePhoto(photo, settings) }),
  input: ({ photo, settings }) => plain({ data: prepareRecord(photo, settings) }),
  white: ({ photo }) => plain(overWhite(photo)),
  place: ({ shapes, layout }) => {
    const placed = shapes.map(([width, height]) => place(width, height, layout));
    return { sources: placed.map(({ source }) => source), targets: placed.map(({ target }) => target) };
  },
};

const answers = JSON.parse(readFileSync(jobsFile, 'utf8')).map((job) => jobs[job.what](job));
writeFileSync(answersFile, JSON.stringify(answers));
