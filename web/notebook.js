// The field notebook: finds that the reader keeps, in this browser's IndexedDB and nowhere else.
//
// Every change is a transaction of its own, so two tabs never lose each other's finds. Guides in different folders of one
// origin have notebooks of their own.

import { Failure } from './failures.js';

/**
 * What the reader kept of one answer.
 * @typedef {object} Find
 * @property {string} id a UUID
 * @property {string} kept when, in UTC: "2026-05-12T08:30:00.000Z"
 * @property {?string} taken when the photo was taken, in local time: "2026-05-12T10:30:00"
 * @property {?number} month 1 to 12, known without `taken` too
 * @property {?number} latitude degrees
 * @property {?number} longitude degrees
 * @property {Blob[]} photos JPEG, without EXIF
 * @property {{verdict: Verdict, rank: string, name: string, vernacular: string, probability: number,
 *   lineage: {rank: string, name: string}[]}} answer
 * @property {{rank: string, name: string, probability: number}[]} alternatives the likeliest at the finest rank
 * @property {string} note
 * @property {string} model SHA-256 of the guide's bundle.json, empty where it cannot be computed
 * @property {string} guide its title
 */

const NAME = `fieldguide notebook ${new URL('./', document.baseURI).pathname}`;
const FINDS = 'finds';

const listeners = new Set();
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(NAME) : null;
channel?.addEventListener('message', announce);

function announce() {
  for (const listener of listeners) listener();
}

/** Have `listener` called after every change, also one made in another tab. */
export const onChange = (listener) => listeners.add(listener);

/** All finds, the newest first. @returns {Promise<Find[]>} */
export async function readFinds() {
  const finds = await within('readonly', (store) => store.getAll());
  return finds.sort((a, b) => (a.kept < b.kept ? 1 : -1));
}

/** @returns {Promise<number>} */
export const countFinds = () => within('readonly', (store) => store.count());

/** Keep a find. The first one asks the browser not to throw the notebook away when space runs short. */
export async function keep(find) {
  const isFirst = (await countFinds()) === 0;
  await change((store) => store.add(find));
  // Not waited for: a browser may ask the reader first.
  if (isFirst) navigator.storage?.persist?.().catch(() => {});
}

/** Change some properties of a find; one that another tab deleted stays deleted. */
export function amend(id, changed) {
  return change((store) => {
    const request = store.get(id);
    request.onsuccess = () => request.result && store.put({ ...request.result, ...changed });
  });
}

export const remove = (id) => change((store) => store.delete(id));

export const removeAll = () => change((store) => store.clear());

async function change(act) {
  await within('readwrite', act);
  announce();
  channel?.postMessage('changed');
}

/** The result of one request within a transaction of its own. @throws {Failure} */
async function within(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(FINDS, mode);
    const request = act(transaction.objectStore(FINDS));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(understand(transaction.error));
  });
}

const understand = (error) => (error?.name === 'QuotaExceededError' ? new Failure('no-space') : error);

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(FINDS, { keyPath: 'id' });
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      // Another tab has a newer page, or the browser cleared the site: the next use opens it anew.
      database.onversionchange = database.onclose = () => {
        database.close();
        opening = null;
      };
      resolve(database);
    };
  }).catch((error) => {
    opening = null;
    throw new Failure('no-notebook', { reason: error?.message ?? String(error) });
  });
  return opening;
}
