import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The next number of a project's builds on this machine, beginning with 1 (CP 9.2). Reading and writing are one step,
 * because nothing else of this process runs between them and no second process works in a home.
 */
export function nextBuildNumber(home: string, repositoryId: number, project: string): number {
  const directory = join(home, 'build-numbers');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const name = createHash('sha256').update(project).digest('hex').slice(0, 32);
  const file = join(directory, `${repositoryId}-${name}`);
  const number = lastNumber(file) + 1;
  writeFileSync(file, `${number}\n`, { mode: 0o600 });
  return number;
}

function lastNumber(file: string): number {
  try {
    const number = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(number) && number > 0 ? number : 0;
  } catch {
    return 0;
  }
}
