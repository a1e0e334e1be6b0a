// The engine in a thread of its own. The page asks by messages {id, method, args} and is answered {id, result} or
// {id, failure}; the first message says that the engine is here.
//
// Where a browser cannot run it so, the page imports this very file and takes the engine from it.

import { makeEngine } from './engine.js';
import { pack } from './failures.js';

export { makeEngine };

function serve() {
  if (!new OffscreenCanvas(1, 1).getContext('2d') || !createImageBitmap) throw new Error('photos cannot be read here');
  const engine = makeEngine();
  self.onmessage = async ({ data: { id, method, args } }) => {
    try {
      const result = await engine[method](...args);
      self.postMessage({ id, result }, /** @type {any} */ (ownedBy(result)));
    } catch (error) {
      self.postMessage({ id, failure: pack(error) });
    }
  };
  self.postMessage('here');
}

/** The memory of a result, which is moved instead of copied. */
const ownedBy = (result) =>
  result instanceof ArrayBuffer ? [result] : [result, ...Object.values(result ?? {})].filter(ArrayBuffer.isView).map(({ buffer }) => buffer);

if (typeof document === 'undefined') serve();
