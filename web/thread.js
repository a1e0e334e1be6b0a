// Starts the engine in a thread of its own, so that the page's thread is free to show things while photos are answered.

import { addressOf } from './bundle.js';
import { Failure, unpack } from './failures.js';

export const SCRIPT = 'worker.js';

/**
 * @param {{read: (file: string) => Promise<ArrayBuffer>}} bundle
 * @returns {Promise<import('./engine.js').Engine>}
 * @throws {Failure}
 */
export async function startEngine(bundle) {
  const script = await bundle.read(SCRIPT);
  if (typeof Worker !== 'undefined' && typeof OffscreenCanvas !== 'undefined') {
    try {
      return await startWorker(script);
    } catch (error) {
      console.warn(error); // old browsers know no modules in workers, or no canvas
    }
  }
  const { makeEngine } = await import(addressOf(SCRIPT));
  return makeEngine();
}

/** The engine in a worker made of exactly these bytes, which were checked: a server may hold those of another export by now. */
async function startWorker(script) {
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const worker = new Worker(address, { type: 'module' });
  const waiting = new Map(); // by id of the question
  let asked = 0;
  let isOver = false;
  const endIfIdle = () => {
    if (isOver && !waiting.size) worker.terminate();
  };
  try {
    await new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = ({ message }) => reject(new Error(`the worker does not start: ${message}`));
    });
  } catch (error) {
    worker.terminate();
    throw error;
  } finally {
    URL.revokeObjectURL(address);
  }
  worker.onmessage = ({ data: { id, result, failure } }) => {
    const question = waiting.get(id); // none if an error has ended it
    waiting.delete(id);
    endIfIdle();
    if (failure) question?.reject(unpack(failure));
    else question?.resolve(result);
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
  };
  const ask = (method) => (...args) =>
    new Promise((resolve, reject) => {
      if (isOver) throw new Failure('mixed', { file: SCRIPT });
      waiting.set(++asked, { resolve, reject });
      worker.postMessage({ id: asked, method, args });
    });
  const stop = () => {
    isOver = true;
    endIfIdle();
  };
  return { prepare: ask('prepare'), cut: ask('cut'), open: ask('open'), predict: ask('predict'), mapOutput: ask('mapOutput'), stop };
}
