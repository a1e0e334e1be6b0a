// Has the guide kept on the device, and says so only once it is.

import { addressOf } from './bundle.js';
import { later } from './later.js';

/**
 * Keep the guide for use without a network.
 * @param {{onState: (text: import('./later.js').Later) => void, onUpdate: (apply: () => void) => void}} listener `onState` gets what holds of offline
 *   use now; `onUpdate`, that another export is here, and how to change to it
 */
export async function keepOffline({ onState, onUpdate }) {
  if (!('serviceWorker' in navigator)) {
    onState(later(window.isSecureContext ? 'offline.unable' : 'offline.insecure'));
    return;
  }
  onState(later('offline.saving'));
  try {
    // None of it from the browser's own cache: a stale script would hide a new export.
    const registration = await navigator.serviceWorker.register(addressOf('service_worker.js'), { updateViaCache: 'none' });
    announceUpdates(registration, onUpdate);
    const worker = registration.active ?? (await activated(registration.installing ?? registration.waiting));
    const missing = await ask(worker, 'complete');
    onState(missing ? later('offline.failed', { reason: missing }) : later('offline.works'));
  } catch (error) {
    onState(later('offline.failed', { reason: error.reason ?? error.message }));
  }
}

function activated(worker) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker.state === 'activated') resolve(worker);
      if (worker.state === 'redundant') reject(Object.assign(new Error(), { reason: later('offline.redundant') }));
    };
    worker.addEventListener('statechange', look);
    look();
  });
}

function ask(worker, question) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage(question, [port2]);
  });
}

/** Tell of a worker that has another export whole and waits for this page to let go of the old one. */
function announceUpdates(registration, onUpdate) {
  const look = (worker) => {
    if (worker?.state === 'installed' && registration.active) onUpdate(() => changeTo(worker));
  };
  look(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing;
    worker.addEventListener('statechange', () => look(worker));
  });
}

function changeTo(worker) {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  worker.postMessage('take over');
}
