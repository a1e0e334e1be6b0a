// licences.txt of the page: whose software it holds, under which licence, and where the source of each package is.

import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'node_modules');
const HEAD = `This page is made of fieldguide (Apache-2.0) and of parts of the packages below, minified. Each name is followed by the
package's licence and the address of its source.`;

/**
 * @param {string} file
 * @param {{outputs: Object<string, {inputs: Object<string, {bytesInOutput: number}>}>}} metafile of esbuild
 * @param {string[]} others packages that are not bundled as scripts
 */
export async function writeLicences(file, { outputs }, others) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([input]) => packageOf(input));
  const names = [...new Set([...used, ...others])].filter(Boolean).sort();
  await writeFile(file, `${[HEAD, ...names.map(describe)].join('\n\n---\n\n')}\n`);
}

const packageOf = (input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];

function describe(name) {
  const folder = path.join(PACKAGES, name);
  const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const source = `https://registry.npmjs.org/${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
  const text = readdirSync(folder).find((each) => /^licen[cs]e(\.|$)/i.test(each));
  const terms = text ? [readFileSync(path.join(folder, text), 'utf8').trim()] : [];
  return [`${name} ${version}, ${license}, ${source}`, ...terms].join('\n\n');
}
