// Bundles this folder: `node web/build.mjs page DIRECTORY` writes the page, `node web/build.mjs node SCRIPT FILE` one of
// the scripts that run in Node. Both get the same TensorFlow.js, cut down to what a model here can need.

import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const wasmFolder = path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm'));

const PAGE_FILES = ['index.html', 'style.css', 'icon.svg', 'manifest.webmanifest', 'service_worker.js'];
// Without cross-origin isolation, which a plain file server does not give, threads hang: only single-threaded binaries.
const WASM_FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

// What TensorFlow.js loads at its top and this project never calls.
const UNUSED = [
  /tfjs-core\/dist\/register_all_gradients\.js$/,
  /tfjs-core\/dist\/public\/chained_ops\/register_all_chained_ops\.js$/,
  /tfjs-backend-wasm\/wasm-out\/tfjs-backend-wasm-threaded-simd(\.worker)?\.js$/,
  /tfjs-converter\/dist\/operations\/executors\/(control|dynamic|evaluation|hash_table|image|logical|ragged|sparse|spectral|string)_executor\.js$/,
];
const UNUSED_TABLES = /tfjs-converter\/dist\/operations\/op_list\/(control|dynamic|evaluation|hash_table|image|logical|ragged|sparse|spectral|string|tfdf)\.js$/;

const slimTensorFlow = {
  name: 'slim-tensorflow',
  setup(bundler) {
    bundler.onResolve({ filter: /ops\/ops_for_converter$/ }, () => ({ path: path.join(here, 'converter_ops.js') }));
    bundler.onLoad({ filter: /node_modules\/@tensorflow\// }, ({ path: file }) => {
      const name = file.split(path.sep).join('/');
      if (UNUSED_TABLES.test(name)) return { contents: 'export const json = [];' };
      if (UNUSED.some((pattern) => pattern.test(name))) {
        return { contents: 'export const executeOp = undefined; export const wasmWorkerContents = ""; export default undefined;' };
      }
      return undefined;
    });
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
  plugins: [slimTensorFlow],
  absWorkingDir: path.dirname(here),
};

async function buildPage(directory) {
  await mkdir(directory, { recursive: true });
  await build({
    ...shared,
    entryPoints: [path.join(here, 'app.js')],
    outfile: path.join(directory, 'app.js'),
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    external: ['fs', 'path', 'util', 'perf_hooks', 'worker_threads', 'os', 'crypto', 'node-fetch'],
  });
  for (const file of PAGE_FILES) await copyFile(path.join(here, file), path.join(directory, file));
  for (const file of WASM_FILES) await copyFile(path.join(wasmFolder, file), path.join(directory, file));
}

async function buildForNode(script, outfile) {
  await build({ ...shared, entryPoints: [script], outfile, platform: 'node', format: 'cjs', target: 'node20' });
}

// Resolved here, because esbuild takes relative paths from its own working directory.
const [what, ...rest] = process.argv.slice(2);
const paths = rest.map((each) => path.resolve(each));
if (what === 'page') await buildPage(paths[0]);
else if (what === 'node') await buildForNode(paths[0], paths[1]);
else throw new Error(`expected page DIRECTORY or node SCRIPT FILE, got ${what}`);
