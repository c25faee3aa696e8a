// The visit pages without a connection: everything comes from the net first, so that no page meets
// an older style, and else as it was last seen. Signing in anew throws the pages away.
const SHELL = "fy-shell-{{ version }}";
const PAGES = "fy-pages";
const FILES = [{% for file in files %}"{{ file|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const KEPT = [{% for prefix in kept %}"{{ prefix|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %}];
const PATIENCE = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((box) => box.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const stale = (name) => name.startsWith("fy-shell-") && name !== SHELL;
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter(stale).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

async function shell(request) {
  try {
    return await fetch(request);
  } catch {
    return caches.match(request, { ignoreVary: true });
  }
}

async function page(request, keep) {
  const box = await caches.open(PAGES);
  try {
    const answer = await fetch(request, keep ? { signal: AbortSignal.timeout(PATIENCE) } : {});
    if (keep && answer.ok && !answer.redirected) await box.put(request, answer.clone());
    return answer;
  } catch {
    const kept = keep && (await box.match(request, { ignoreVary: true }));
    return kept || caches.match("/offline", { ignoreVary: true });
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (FILES.includes(url.pathname) && url.pathname !== "/offline") {
    event.respondWith(shell(request));
  } else if (request.mode === "navigate") {
    event.respondWith(page(request, KEPT.some((prefix) => url.pathname.startsWith(prefix))));
  }
});
