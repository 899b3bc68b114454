import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './checkout.ts';

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of our Dockerfile, continued lines joined. */
export function readDockerfile(): readonly Instruction[] {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll(/\\\n\s*/g, '');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1).trim() }));
}

export function allOf(name: string): readonly string[] {
  return readDockerfile()
    .filter((instruction) => instruction.name === name)
    .map(({ rest }) => rest);
}

/** `CMD ["a", "b"]`, also behind the options of HEALTHCHECK. */
export function wordsOf(rest: string): readonly string[] {
  return JSON.parse(rest.slice(rest.indexOf('['))) as readonly string[];
}

/** `ENV a=1 b=2`. */
export function environmentOf(): Record<string, string> {
  const pairs = allOf('ENV').flatMap((rest) => rest.split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
