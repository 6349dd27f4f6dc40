/**
 * Keeps the page for when there is no network. When the app is built, two lines go before these: FILES, all that the folder holds, and VERSION, a
 * hash of what is in them.
 */

// Other copies of the page, at other paths of the same host, have stores of their own.
const MINE = `mtunet ${registration.scope} `;
const STORE = MINE + VERSION;

addEventListener('install', (event) => event.waitUntil(fill()));
addEventListener('activate', (event) => event.waitUntil(takeOver()));
addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(registration.scope)) event.respondWith(answer(event.request));
});

async function fill() {
  const store = await caches.open(STORE);
  try {
    // Past the browser's own cache, which may hold files of the version before.
    await store.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })));
  } catch (problem) {
    await caches.delete(STORE);
    throw problem;
  }
  await skipWaiting();
}

async function takeOver() {
  const stores = (await caches.keys()).filter((name) => name.startsWith(MINE) && name !== STORE);
  // A page that is still open may have yet to fetch a part of the version before.
  for (const name of stores.slice(0, -1)) await caches.delete(name);
  await clients.claim();
}

async function answer(request) {
  const loosely = { ignoreSearch: true, ignoreVary: true };
  const newest = { ...loosely, cacheName: STORE };
  const kept = (await caches.match(request, newest)) ?? (await caches.match(request, loosely));
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch (problem) {
    // index.html, or whatever else the page was opened as.
    const page = request.mode === 'navigate' && (await caches.match('./', newest));
    if (page) return page;
    throw problem;
  }
}
