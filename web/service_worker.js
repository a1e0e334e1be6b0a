// Keeps the whole bundle on the device. offline.js, written by the export, names its files and their digest: a new export
// changes offline.js, so the browser installs anew.

importScripts('offline.js');
const { version, files } = self.BUNDLE;
const CACHE = `fieldguide-${version}`;

self.addEventListener('install', (event) => {
  const fill = async () => {
    const cache = await caches.open(CACHE);
    // The page has just loaded most of these; `no-cache` asks the server only whether they changed since.
    await cache.addAll(files.map((file) => new Request(file, { cache: 'no-cache' })));
    await self.skipWaiting();
  };
  event.waitUntil(fill());
});

self.addEventListener('activate', (event) => {
  const takeOver = async () => {
    const stale = (await caches.keys()).filter((key) => key.startsWith('fieldguide-') && key !== CACHE);
    await Promise.all(stale.map((key) => caches.delete(key)));
    await self.clients.claim();
  };
  event.waitUntil(takeOver());
});

self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') return;
  const answer = async () => {
    const cache = await caches.open(CACHE);
    return (await cache.match(event.request, { ignoreSearch: true })) ?? fetch(event.request);
  };
  event.respondWith(answer());
});
