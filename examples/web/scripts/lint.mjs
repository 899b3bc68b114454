// Checks what a reader would stumble over: syntax, stray white space, and links to files that are not there.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

const checks = {
  '.js': [syntax, whiteSpace],
  '.mjs': [syntax, whiteSpace],
  '.css': [whiteSpace],
  '.html': [whiteSpace, links],
};

const files = ['site', 'test', 'scripts'].flatMap(filesOf);
const complaints = files.flatMap((file) => (checks[extname(file)] ?? []).flatMap((check) => check(file)));
for (const complaint of complaints) console.log(complaint);
console.log(`${files.length} files, ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;

function filesOf(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesOf(path) : [path];
  });
}

function syntax(file) {
  try {
    execFileSync(process.execPath, ['--check', file], { stdio: 'pipe' });
    return [];
  } catch (error) {
    return [String(error.stderr).trim()];
  }
}

function whiteSpace(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) =>
    /[ \t]+$|\t/.test(line) ? [`${file}:${index + 1}: tab or trailing space`] : [],
  );
}

function links(file) {
  const targets = [...readFileSync(file, 'utf8').matchAll(/(?:src|href)="([^":#]+)"/g)].map(([, target]) => target);
  return targets
    .filter((target) => !existsSync(join(dirname(file), target)))
    .map((target) => `${file}: links to ${target}, which is not there`);
}
