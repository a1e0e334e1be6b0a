// Starts the engine in a thread of its own, so that the page's thread is free to show things while photos are answered.

import { addressOf } from './bundle.js';
import { Failure, unpack } from './failures.js';

export const SCRIPT = 'worker.js';

/**
 * @param {import('./bundle.js').Bundle} bundle
 * @returns {Promise<import('./engine.js').Engine>}
 * @throws {Failure}
 */
export async function startEngine(bundle) {
  const hasWorkers = typeof Worker !== 'undefined' && typeof OffscreenCanvas !== 'undefined';
  // It starts while its script is still being checked, and is asked nothing before that.
  const early = hasWorkers ? bundle.peek(SCRIPT).then((script) => ({ script, ...startWorker(script) })) : null;
  early?.catch(() => {});
  const script = await bundle.read(SCRIPT).catch((error) => {
    early?.then(({ stop }) => stop(), () => {});
    throw error;
  });
  if (hasWorkers) {
    try {
      const first = await early.catch(() => null);
      if (first?.script === script) return await first.here;
      first?.stop(); // perhaps without ever having said that it is here
      return await startWorker(script).here;
    } catch (error) {
      console.warn(error); // old browsers know no modules in workers, or no canvas
    }
  }
  const { makeEngine } = await import(addressOf(SCRIPT));
  return makeEngine();
}

/**
 * The engine in a worker made of exactly these bytes: a server may hold those of another export by now.
 * @returns {{here: Promise<import('./engine.js').Engine>, stop: () => void}}
 */
function startWorker(script) {
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const worker = new Worker(address, { type: 'module' });
  const waiting = new Map(); // by id of the question
  let asked = 0;
  let isOver = false;
  const endIfIdle = () => {
    if (isOver && !waiting.size) worker.terminate();
  };
  const stop = () => {
    isOver = true;
    endIfIdle();
  };
  const ask = (method) => (...args) =>
    new Promise((resolve, reject) => {
      if (isOver) throw new Failure('mixed', { file: SCRIPT });
      waiting.set(++asked, { resolve, reject });
      worker.postMessage({ id: asked, method, args });
    });
  const methods = ['unpack', 'readOccasion', 'prepare', 'cut', 'start', 'open', 'time', 'predict', 'mapOutput'];
  const engine = /** @type {any} */ ({ ...Object.fromEntries(methods.map((method) => [method, ask(method)])), stop });
  const here = new Promise((resolve, reject) => {
    worker.onmessage = () => {
      worker.onmessage = take;
      worker.onerror = fail;
      resolve(engine);
    };
    worker.onerror = ({ message }) => {
      worker.terminate();
      reject(new Error(`the worker does not start: ${message}`));
    };
  });
  const take = ({ data: { id, result, failure } }) => {
    const question = waiting.get(id); // none if an error has ended it
    waiting.delete(id);
    endIfIdle();
    if (failure) question?.reject(unpack(failure));
    else question?.resolve(result);
  };
  const fail = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
  };
  here.catch(() => {}).finally(() => URL.revokeObjectURL(address));
  return { here, stop };
}
