import { sentence } from './hours.js';

function show() {
  document.querySelector('#now').textContent = sentence(new Date());
}

async function showVersion() {
  const answer = await fetch('version.json');
  if (!answer.ok) return;
  const { commit } = await answer.json();
  document.querySelector('#version').textContent = `Version ${commit.slice(0, 7)}`;
}

show();
setInterval(show, 60_000);
await showVersion();
