/**
 * Keeps the page of a running execution true: appends log text as it comes, and fetches the page anew when something
 * else changed. Without scripts the page is complete, only not live.
 */
export const liveScript = `
const page = document.querySelector('main');
const followed = new Set();
const source = new EventSource(location.pathname + '/events' + location.search);

function logOf(id) {
  return document.getElementById('log-' + id);
}

function append(id, text, start) {
  const log = logOf(id);
  if (!log) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (start) log.textContent = '';
  followed.add(id);
  log.append(text);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
  for (const box of fresh.querySelectorAll('details[id]')) {
    const old = document.getElementById(box.id);
    if (old) box.open = old.open;
  }
  for (const id of followed) {
    const log = fresh.querySelector('#log-' + CSS.escape(id));
    if (log && logOf(id)) log.textContent = logOf(id).textContent;
  }
  document.querySelector('main').replaceWith(fresh);
}

source.addEventListener('log', (event) => {
  const { id, text, start } = JSON.parse(event.data);
  append(id, text, start);
});
source.addEventListener('state', async (event) => {
  if (document.querySelector('main').dataset.state !== event.data) await refresh();
});
source.addEventListener('end', async () => {
  source.close();
  await refresh();
});
`;
