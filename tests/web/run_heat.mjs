// Runs the pure parts of web/heat.js on the jobs of a test: node run_heat.mjs JOBS ANSWERS

import { readFileSync, writeFileSync } from 'node:fs';
import { layOnPhoto, outputOf, paint, suggestBox } from '../../web/heat.js';

const [jobsFile, answersFile] = process.argv.slice(2);

const plain = ({ data, ...rest }) => ({ ...rest, data: Array.from(data) });

const jobs = {
  lay: ({ map, photo, settings, longest }) => plain(layOnPhoto(map, photo, settings, longest)),
  box: ({ map, mass }) => suggestBox({ ...map, data: Float32Array.from(map.data) }, mass),
  output: ({ taxon, labels }) => outputOf(taxon, labels),
  paint: ({ map }) => Array.from(paint({ ...map, data: Float32Array.from(map.data) })),
};

const answers = JSON.parse(readFileSync(jobsFile, 'utf8')).map((job) => jobs[job.what](job));
writeFileSync(answersFile, JSON.stringify(answers));
