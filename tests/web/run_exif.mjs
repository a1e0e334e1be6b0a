// What web/exif.js reads in files: node run_exif.cjs FILE...

import { readFileSync } from 'node:fs';
import { readOccasion } from '../../web/exif.js';

const read = (file) => readOccasion(new Blob([readFileSync(file)]));
Promise.all(process.argv.slice(2).map(read)).then((told) => console.log(JSON.stringify(told)));
