// Keeps the whole bundle on the device: all of one export, or nothing.
//
// The export writes the digest of bundle.json into this file, and bundle.json holds those of all others. So a new export changes
// this file, upon which the browser installs anew, and a file that is not of this export is never kept.

const worker = /** @type {any} */ (self); // TypeScript takes it for a page's

const LIST = 'bundle.json';
const LIST_SHA256 = 'written by the export';

// Reference photos, of which there may be thousands: kept when they are seen, and named by the beginning of their digest.
const REFERENCE = /^species\/([0-9a-f]{32})\.webp$/;
const STAND_IN = 'icon.svg'; // for one that was not seen while there was a network

const SCOPE = worker.registration.scope; // two guides on one origin differ by it
const OWN = `fieldguide ${SCOPE} `;
const CACHE = OWN + LIST_SHA256;

/** A file as a response that can be kept, if its digest begins so; asked of the browser's cache first, then of the server. */
async function fetchChecked(file, sha256) {
  let failure;
  for (const cache of /** @type {RequestCache[]} */ (['default', 'reload'])) {
    const response = await fetch(new URL(file, SCOPE), { cache });
    const bytes = await response.arrayBuffer();
    // Made anew: one that came by a redirection may not answer for a page.
    if (response.ok && (await digest(bytes)).startsWith(sha256)) return new Response(bytes, { headers: kept(response.headers) });
    failure = response.ok
      ? Object.assign(new Error(`${file} is not the one of this export`), { isOfAnother: true })
      : new Error(`${file}: the server answers ${response.status}`);
  }
  throw failure;
}

const kept = (headers) => ({ 'Content-Type': headers.get('Content-Type') ?? 'application/octet-stream' });

async function digest(bytes) {
  const found = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(found, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The digest of every file of this export, bundle.json included. */
async function listFiles(cache) {
  const address = new URL(LIST, SCOPE);
  if (!(await cache.match(address))) await cache.put(address, await fetchChecked(LIST, LIST_SHA256));
  const { files } = await (await cache.match(address)).json();
  const digests = Object.entries(files).map(([file, { sha256 }]) => /** @type {[string, string]} */ ([file, sha256]));
  return new Map([[LIST, LIST_SHA256], ...digests]);
}

/** Fetch whatever is not kept yet. Throws if a file cannot be had. */
async function complete() {
  const cache = await caches.open(CACHE);
  const files = await listFiles(cache);
  const here = new Set((await cache.keys()).map(({ url }) => url));
  const missing = [...files].filter(([file]) => !here.has(new URL(file, SCOPE).href));
  await Promise.all(missing.map(async ([file, sha256]) => cache.put(new URL(file, SCOPE), await fetchChecked(file, sha256))));
}

async function answer(request) {
  const address = new URL(request.url);
  address.search = address.hash = '';
  if (address.href === SCOPE) address.pathname += 'index.html';
  const cache = await caches.open(CACHE);
  const [file, sha256] = REFERENCE.exec(address.href.slice(SCOPE.length)) ?? [];
  return (await cache.match(address)) ?? (file ? fetchReference(cache, address, file, sha256) : fetchUnkept(cache, address, request));
}

/** A reference photo that was not seen before, or what stands for it. */
async function fetchReference(cache, address, file, sha256) {
  try {
    const photo = await fetchChecked(file, sha256);
    await cache.put(address, photo.clone()).catch(() => {}); // shown all the same where there is no room to keep it
    return photo;
  } catch {
    return (await cache.match(new URL(STAND_IN, SCOPE))) ?? Response.error();
  }
}

/** A file that the cache lacks, for instance because the browser wanted its space. */
async function fetchUnkept(cache, address, request) {
  try {
    const file = decodeURI(address.href.slice(SCOPE.length));
    const sha256 = (await listFiles(cache)).get(file);
    if (sha256) await cache.put(address, await fetchChecked(file, sha256));
  } catch (error) {
    // Two exports must not meet: from now on everything comes from the server, until the next worker has all of the new one.
    if (error.isOfAnother) await caches.delete(CACHE);
  }
  return (await caches.match(address, { cacheName: CACHE })) ?? fetch(request);
}

worker.addEventListener('install', (event) => event.waitUntil(complete()));

worker.addEventListener('activate', (event) => {
  const takeOver = async () => {
    const stale = (await caches.keys()).filter((key) => key.startsWith(OWN) && key !== CACHE);
    await Promise.all(stale.map((key) => caches.delete(key)));
    await worker.clients.claim();
  };
  event.waitUntil(takeOver());
});

worker.addEventListener('fetch', (event) => {
  if (event.request.method === 'GET' && event.request.url.startsWith(SCOPE)) event.respondWith(answer(event.request));
});

// `complete`: answers null when everything is kept, else why not. `take over`: the page is about to load anew.
worker.addEventListener('message', (event) => {
  if (event.data === 'take over') worker.skipWaiting();
  if (event.data !== 'complete') return;
  const report = complete().then(
    () => null,
    (error) => error.message,
  );
  event.waitUntil(report.then((reason) => event.ports[0].postMessage(reason)));
});
