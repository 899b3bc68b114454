#!/usr/bin/env node
// The `bin` of the package. Plain JavaScript: it may be started by a Node that cannot run the rest, and then finds
// one that can. A checkout runs its TypeScript; an installed package runs dist/, because Node strips no types under
// node_modules.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runsTypeScript, whatToDo } from './check-node.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

function cliFile() {
  const source = join(here, 'cli.ts');
  if (existsSync(source) && !here.split(sep).includes('node_modules')) return source;
  return join(root, 'dist', 'src', 'cli.js');
}

function findNode() {
  const require = createRequire(import.meta.url);
  const candidates = [join(root, 'node_modules', '.bin', 'node')];
  try {
    const packageFile = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    candidates.push(join(dirname(packageFile), 'bin', 'node'));
  } catch {
    // Installed without optional dependencies: the candidates above have to do.
  }
  return candidates.find((file) => {
    const answer = spawnSync(file, ['--version'], { encoding: 'utf8' });
    return answer.status === 0 && runsTypeScript(answer.stdout.trim());
  });
}

function runUnder(node, cli) {
  const child = spawn(node, [cli, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // A terminal sends Ctrl-C to both processes; passing it on would make it two, and the second means "at once".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => {
    console.error(`Could not start ${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

const cli = cliFile();
if (!existsSync(cli)) {
  console.error(
    `${cli} is missing: this copy of Penstock is not complete. Install it again, or run \`npm run prepack\`.`,
  );
  process.exitCode = 1;
} else if (runsTypeScript(process.version)) {
  process.argv[1] = cli;
  await import(pathToFileURL(cli).href);
} else {
  const node = findNode();
  if (node === undefined) {
    console.error(whatToDo(process.version));
    process.exitCode = 1;
  } else {
    runUnder(node, cli);
  }
}
