// Bundles this folder:
//
//   node web/build.mjs page DIRECTORY NEEDS      writes the page
//   node web/build.mjs node SCRIPT FILE NEEDS    writes one of the scripts that run in Node
//
// NEEDS is what trace.mjs found that a model needs, as JSON: its TensorFlow.js holds that and nothing else, which makes the
// page less than half as large. `null`: all of TensorFlow.js.

import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { feature } from 'topojson-client';
import { writeLicences } from './licences.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const wasmFolder = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm'));

const PAGE_ENTRIES = ['app.js', 'worker.js', 'style.css'];
const PAGE_FILES = [
  'index.html',
  'icon.svg',
  'icon-180.png',
  'icon-192.png',
  'icon-512.png',
  'icon-maskable-512.png',
  'manifest.webmanifest',
  'service_worker.js',
];
// Without cross-origin isolation, which a plain file server does not give, threads hang: only single-threaded binaries.
const WASM_FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

// What TensorFlow.js loads at its top and this project never calls: training, places to keep models, hashes of texts.
const NEVER_USED = [
  /tfjs-core\/dist\/register_all_gradients\.js$/,
  /tfjs-core\/dist\/public\/chained_ops\/register_all_chained_ops\.js$/,
  /tfjs-core\/dist\/optimizers\/\w+\.js$/,
  /tfjs-core\/dist\/io\/(browser_files|indexed_db|local_storage|model_management)\.js$/,
  /tfjs-core\/dist\/hash_util\.js$/,
  /tfjs-backend-wasm\/wasm-out\/tfjs-backend-wasm-threaded-simd(\.worker)?\.js$/,
];
// CommonJS, of which any name may be imported: it is undefined.
const EMPTY = 'module.exports = { wasmWorkerContents: "", registerOptimizers() {} };';
const EXECUTOR = /tfjs-converter\/dist\/operations\/executors\/(\w+)_executor\.js$/;
const OPERATIONS = /tfjs-converter\/dist\/operations\/op_list\/(\w+)\.js$/;

const BACKENDS = ['wasm', 'cpu']; // plain JavaScript for where WebAssembly fails

const dist = (backend) => path.dirname(require.resolve(`@tensorflow/tfjs-backend-${backend}/dist/base.js`));

/**
 * The code of kernels, of those that they call within their backend, for such a call passes nothing that could be traced, and of
 * what these share; by name.
 * @returns {Map<string, string>}
 */
function readKernels(kernels, backend) {
  const found = new Map();
  const queue = [...kernels];
  while (queue.length) {
    const name = queue.pop();
    const file = path.join(dist(backend), 'kernels', `${name}.js`);
    if (found.has(name) || !existsSync(file)) continue;
    const code = readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
    found.set(name, code);
    for (const [, inner] of code.matchAll(/from '\.\/(\w+)'/g)) queue.push(inner);
  }
  return found;
}

const configOf = (kernel) => `${kernel.replace(/[A-Z]/, (first) => first.toLowerCase())}Config`;

/** The module that registers the kernels of both backends. */
function kernelsModule(needs) {
  const bases = BACKENDS.map((backend) => `import '@tensorflow/tfjs-backend-${backend}/dist/base';`);
  if (!needs) {
    return [...bases, ...BACKENDS.map((backend) => `import '@tensorflow/tfjs-backend-${backend}/dist/register_all_kernels';`)].join('\n');
  }
  const kernels = BACKENDS.flatMap((backend) => [...readKernels(needs.kernels, backend)].flatMap(([kernel, code]) => {
    const config = configOf(kernel);
    if (!code.includes(`export const ${config} =`)) return [];
    const name = `${backend}${kernel}`;
    return `import { ${config} as ${name} } from '@tensorflow/tfjs-backend-${backend}/dist/kernels/${kernel}';\nregisterKernel(${name});`;
  }));
  return ["import { registerKernel } from '@tensorflow/tfjs-core/dist/base';", ...bases, ...kernels].join('\n');
}

/** The WebAssembly of TensorFlow.js without the kernels that a model never calls: half of it. */
async function cutWasm(bytes, needs) {
  if (!needs) return bytes;
  const { default: binaryen } = await import('binaryen'); // 15 MB, which scripts for Node have no use for
  const words = new Set([...readKernels(needs.kernels, 'wasm').values()].flatMap((code) => code.match(/\w+/g)));
  const module = binaryen.readBinary(bytes);
  const names = Array.from({ length: module.getNumExports() }, (_, i) => binaryen.getExportInfo(module.getExportByIndex(i)).name);
  // Kernels are exported by their names, which begin with a capital; all else is memory and registers.
  for (const name of names) if (/^_?[A-Z]/.test(name) && !words.has(name)) module.removeExport(name);
  module.runPasses(['remove-unused-module-elements']);
  return module.emitBinary();
}

/** The functions that the converter's executors call; TensorFlow.js asks for an alias of its own in custom builds. */
function functionsModule(needs) {
  if (needs) return `export { ${needs.functions.join(', ')} } from '@tensorflow/tfjs-core/dist/ops/ops';`;
  // CommonJS, so that its exports are looked up one by one as they are used: trace.mjs reads which.
  return `
    const used = globalThis.usedFunctions = new Set();
    const get = (functions, name) => {
      if (name !== '__esModule' && Object.hasOwn(functions, name)) used.add(name);
      return functions[name];
    };
    module.exports = new Proxy(require('@tensorflow/tfjs-core/dist/ops/ops'), { get });`;
}

/** An esbuild plugin that leaves of TensorFlow.js what `needs` names, or all if it is null. */
const cutTensorFlow = (needs) => ({
  name: 'cut-tensorflow',
  setup(bundler) {
    const own = { kernels: kernelsModule(needs), functions: functionsModule(needs) };
    bundler.onResolve({ filter: /^virtual:kernels$/ }, () => ({ path: 'kernels', namespace: 'own' }));
    bundler.onResolve({ filter: /ops\/ops_for_converter$/ }, () => ({ path: 'functions', namespace: 'own' }));
    bundler.onLoad({ filter: /.*/, namespace: 'own' }, ({ path: name }) => ({ contents: own[name], resolveDir: here }));
    const isUnused = (category) => category && needs && !needs.categories.includes(category);
    bundler.onLoad({ filter: /node_modules\/@tensorflow\// }, ({ path: file }) => {
      const name = file.split(path.sep).join('/');
      if (isUnused(OPERATIONS.exec(name)?.[1])) return { contents: 'export const json = [];' };
      if (isUnused(EXECUTOR.exec(name)?.[1]) || NEVER_USED.some((pattern) => pattern.test(name))) return { contents: EMPTY };
      return undefined;
    });
  },
});

const EXIF_PARTS = ['EXIF', 'JPEG', 'PNG', 'WEBP', 'HEIC', 'AVIF'];
const EXIF_TAGS = ['Exif IFD Pointer', 'GPS Info IFD Pointer', 'DateTimeOriginal', 'GPSLatitudeRef', 'GPSLatitude', 'GPSLongitudeRef', 'GPSLongitude'];

/** An esbuild plugin that leaves of ExifReader these parts and tags, as its own custom builds do with webpack and babel. */
const cutExifReader = {
  name: 'cut-exifreader',
  setup(bundler) {
    bundler.onLoad({ filter: /node_modules\/exifreader\/src\/tag-names-\w+-ifd\.js$/ }, async ({ path: file }) => {
      const { default: tags } = await import(pathToFileURL(file).href);
      const names = Object.entries(tags).map(([code, tag]) => [code, tag.name ?? tag]);
      const wanted = names.filter(([, name]) => EXIF_TAGS.includes(name));
      return { contents: `export default ${JSON.stringify(Object.fromEntries(wanted))};` };
    });
    const isWanted = (_, part) => String(EXIF_PARTS.includes(part));
    bundler.onLoad({ filter: /node_modules\/exifreader\/src\/.*\.js$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, 'utf8')).replace(/\bConstants\.USE_(\w+)/g, isWanted),
    }));
  },
};

const shared = {
  bundle: true,
  minify: true,
  legalComments: 'none',
  logLevel: 'error',
  // The packages' `main` for Node is one file that nothing can be cut from.
  mainFields: ['module', 'main'],
  external: ['node-fetch'], // Node has fetch
  absWorkingDir: path.dirname(here),
};

async function buildPage(directory, needs) {
  await mkdir(directory, { recursive: true });
  const { metafile } = await build({
    ...shared,
    metafile: true,
    plugins: [cutTensorFlow(needs), cutExifReader],
    entryPoints: PAGE_ENTRIES.map((file) => path.join(here, file)),
    outdir: directory,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    external: ['*.svg', 'fs', 'path', 'util', 'perf_hooks', 'worker_threads', 'os', 'crypto', 'node-fetch'],
  });
  for (const file of PAGE_FILES) await copyFile(path.join(here, file), path.join(directory, file));
  await writeFile(path.join(directory, 'land.svg'), drawLand());
  await writeLicences(path.join(directory, 'licences.txt'), metafile, ['world-atlas']);
  for (const file of WASM_FILES) await writeFile(path.join(directory, file), await cutWasm(await readFile(path.join(wasmFolder, file)), needs));
}

/** A ring that goes on beyond 180 degrees where it crosses them, and around the pole where it encloses that. */
function unroll(ring) {
  let turns = 0;
  const unrolled = ring.map(([x, y], i) => {
    const step = i ? x - ring[i - 1][0] : 0;
    turns -= Math.abs(step) > 180 ? Math.sign(step) : 0;
    return [x + 360 * turns, y];
  });
  if (!turns) return unrolled;
  const pole = unrolled[0][1] < 0 ? -90 : 90;
  return [...unrolled, [unrolled.at(-1)[0], pole], [unrolled[0][0], pole]];
}

const isInView = (ring, shift) => ring.some(([x]) => x + shift > -180) && ring.some(([x]) => x + shift < 180);

/** The land of the world in degrees, longitude to the right and latitude upwards: Natural Earth's at 1:110 million. */
function drawLand() {
  const world = JSON.parse(readFileSync(require.resolve('world-atlas/land-110m.json'), 'utf8'));
  const { features } = feature(world, world.objects.land);
  const rings = features.flatMap(({ geometry }) => (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates)).flat();
  const draw = (ring, shift) => `M${ring.map(([x, y]) => `${(x + shift).toFixed(1)} ${(-y).toFixed(1)}`).join('L')}Z`;
  const path = rings.map(unroll).flatMap((ring) => [-360, 0, 360].filter((shift) => isInView(ring, shift)).map((shift) => draw(ring, shift))).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-180 -90 360 180" preserveAspectRatio="none"><path d="${path}"/></svg>\n`;
}

async function buildForNode(script, outfile, needs) {
  await build({
    ...shared,
    plugins: [cutTensorFlow(needs), cutExifReader],
    entryPoints: [script],
    outfile,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    define: { WASM_FOLDER: JSON.stringify(wasmFolder + path.sep) },
  });
}

// Resolved here, because esbuild takes relative paths from its own working directory.
const [what, ...rest] = process.argv.slice(2);
const needs = JSON.parse(rest.pop());
const paths = rest.map((each) => path.resolve(each));
if (what === 'page') await buildPage(paths[0], needs);
else if (what === 'node') await buildForNode(paths[0], paths[1], needs);
else throw new Error(`expected page DIRECTORY NEEDS or node SCRIPT FILE NEEDS, got ${what}`);
